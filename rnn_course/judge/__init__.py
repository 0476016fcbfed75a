"""What an answer is worth, and why: judged from its arrays alone."""
