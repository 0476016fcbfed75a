"""The kernels of Elman, LSTM and GRU: their elementwise parts in place, for `fused`. Chapter 13 builds the one of the LSTM.

`kernel.py` says what a kernel is; one file each for the three.
"""
