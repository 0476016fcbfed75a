"""The fast twins of Elman, LSTM and GRU: what `unroll` computes, in less time. Chapter 13 builds the one of the LSTM.

`sequence.py` runs any of them over time; `kernel.py` says what a twin is; one file each for the three.
"""
