"""A bank of submissions: wrong ones, right ones written differently, hostile ones. What the grader must make of each."""
