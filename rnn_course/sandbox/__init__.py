"""Where submissions run: `outside.py` starts a process behind walls, `inside/` is what runs there."""
