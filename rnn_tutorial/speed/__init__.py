"""What a NumPy program costs: its time, its calls, operations and bytes, and a machine's rates.

`clock.py` times programs in turn. `ledger.py` counts what they do: the same on every machine.
`machine.py` measures the rates of this machine, which turn a ledger into a predicted time.
"""

from rnn_tutorial.speed.clock import *
from rnn_tutorial.speed.ledger import *
from rnn_tutorial.speed.machine import *
