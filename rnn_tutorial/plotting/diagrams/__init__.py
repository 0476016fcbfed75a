"""Pictures of boxes and arrows, each for one chapter. `pen.py` draws the boxes and the arrows."""
