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
    LSTM   float32   2.30   1.43   1.38   1.28   1.14   1.46
           float64   1.89   1.51   1.22   1.47   1.06   1.40
    GRU    float32   2.08   1.40   1.31   1.17   1.10   1.37
           float64   1.93   1.26   1.23   1.13   1.04   1.29
    Elman  float32   1.47   1.29   1.17   1.09   1.10   1.22
           float64   1.39   1.26   1.16   1.14   1.08   1.20

At large sizes a cell is fast without a kernel: there the matrix products take most of the time.
`compiled.py` is the kernel of the LSTM in float32 once more, as loops that numba compiles. Where
the product of a step is small, it runs through the whole sequence in one call. Import it from
there.
"""
