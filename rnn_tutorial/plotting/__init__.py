"""Every picture of the chapters, drawn from arrays. Functions return the Axes.

This package needs Matplotlib, so `rnn_tutorial` does not import it. Most modules plot arrays,
`diagrams/` draws boxes and arrows, `style.py` has the colours and the house style.
"""

from rnn_tutorial.plotting.alignment import *
from rnn_tutorial.plotting.checks import *
from rnn_tutorial.plotting.curves import *
from rnn_tutorial.plotting.diagrams.attention import *
from rnn_tutorial.plotting.diagrams.cells import *
from rnn_tutorial.plotting.diagrams.circuit import *
from rnn_tutorial.plotting.diagrams.directions import *
from rnn_tutorial.plotting.diagrams.kept import *
from rnn_tutorial.plotting.diagrams.layouts import *
from rnn_tutorial.plotting.diagrams.memory import *
from rnn_tutorial.plotting.diagrams.padding import *
from rnn_tutorial.plotting.diagrams.paths import *
from rnn_tutorial.plotting.diagrams.reset import *
from rnn_tutorial.plotting.diagrams.seq2seq import *
from rnn_tutorial.plotting.diagrams.stack import *
from rnn_tutorial.plotting.diagrams.window import *
from rnn_tutorial.plotting.draws import *
from rnn_tutorial.plotting.gates import *
from rnn_tutorial.plotting.lattice import *
from rnn_tutorial.plotting.lengths import *
from rnn_tutorial.plotting.maps import *
from rnn_tutorial.plotting.speed import *
from rnn_tutorial.plotting.style import *
from rnn_tutorial.plotting.surfaces import *
from rnn_tutorial.plotting.text import *
from rnn_tutorial.plotting.trials import *
