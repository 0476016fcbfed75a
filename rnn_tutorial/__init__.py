"""Recurrent networks explained: every gradient derived, coded and proved.

`T` steps, `B` batch, `D` inputs, `H` hidden, `K` outputs, `V` vocabulary. A singular name is one step (`x: (B, D)`), a plural
name a sequence, time first (`xs: (T, B, D)`). `d` + name is the gradient of the loss with respect to it, of the same type.

Import from the module that owns the noun: `from rnn_tutorial.unroll import unroll`.
"""

__version__ = "0.1.0"
