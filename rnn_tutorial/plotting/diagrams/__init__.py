"""Pictures that are drawn from boxes and arrows, for one chapter each. `pen.py` has the boxes and the arrows."""
