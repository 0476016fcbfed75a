"""Figures that a reader can move, for notebooks and for the pages of the site.

Each function makes an `Explorable`: the last line of a cell, `explore.one_unit()`, shows it. Its
numbers come from the package. Where no script runs, a still picture is shown.
"""

from rnn_tutorial.explore.explorable import *
from rnn_tutorial.explore.lstm_step import *
from rnn_tutorial.explore.one_unit import *
from rnn_tutorial.explore.reach import *
from rnn_tutorial.explore.sounds import *
from rnn_tutorial.explore.through_time import *
from rnn_tutorial.explore.weights import *
from rnn_tutorial.explore.writer import *
