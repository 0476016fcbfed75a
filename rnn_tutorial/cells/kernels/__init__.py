"""The kernels of Elman, LSTM and GRU: their elementwise parts in place, for `fused`. Chapter 13 builds the one of the LSTM.

`kernel.py` says what a kernel is; one file each for the three. What each is worth: `unroll` takes so many times as long as
`fused_unroll`, forward and backward on one thread, medians of interleaved runs at (B, T, D, H):

                     (1,50,32,64)  (32,50,32,64)  (64,100,64,128)  (128,100,128,256)  (64,50,256,512)   mean
    LSTM   float32       2.36          1.32            1.28              1.34               1.02        1.40
           float64       2.14          1.25            1.13              1.25               1.14        1.34
    GRU    float32       2.50          1.40            1.35              1.22               1.06        1.44
           float64       2.23          1.24            1.25              1.30               1.03        1.36
    Elman  float32       1.68          1.36            1.15              1.11               1.01        1.24
           float64       1.63          1.28            1.13              1.06               1.04        1.21

A cell without a kernel needs none to be fast at large sizes, where the matrix products rule.
"""
