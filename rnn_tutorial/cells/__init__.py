"""The recurrent cells, one file each: `cell.py` says what a cell is, `elman.py` is the vanilla recurrent network."""
