"""A bank of submissions, with what the grader must say of each.

Wrong answers, right answers in another form, and hostile submissions.
"""
