"""Where submissions run: `outside.py` starts an isolated process, `inside/` is what runs in it."""
