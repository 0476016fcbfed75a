"""The recurrent cells, one file each. `cell.py` says what a cell is and `gates.py` how gates share their matrices.

`elman.py` is the vanilla recurrent network, `lstm.py` long short-term memory, with its relatives `lstm_1997.py` (no forget gate),
`peephole_lstm.py` and `coupled_lstm.py`; `gru.py` and `gru_before.py` are the two functions that both go by the name of GRU.
"""
