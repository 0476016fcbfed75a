"""The kernels of Elman, LSTM and GRU: their elementwise parts in place, for `fused_unroll`.

`kernel.py` says what a kernel is; each of the three has one file. Chapter 17 builds the kernel of
the LSTM. The table shows what a kernel saves: the time of `unroll` divided by that of
`fused_unroll`, forward and backward on one thread, medians of interleaved runs, at the sizes

    size       B     T     D     H
    1          1    50    32    64
    2         32    50    32    64
    3         64   100    64   128
    4        128   100   128   256
    5         64    50   256   512

    cell   dtype       1      2      3      4      5    mean
    LSTM   float32   2.36   1.32   1.28   1.34   1.02   1.40
           float64   2.14   1.25   1.13   1.25   1.14   1.34
    GRU    float32   2.50   1.40   1.35   1.22   1.06   1.44
           float64   2.23   1.24   1.25   1.30   1.03   1.36
    Elman  float32   1.68   1.36   1.15   1.11   1.01   1.24
           float64   1.63   1.28   1.13   1.06   1.04   1.21

At large sizes a cell is fast without a kernel: there the matrix products take most of the time.
"""
