"""Who submitted what: names of learning systems, folders, zips, the roster, times."""

from rnn_course.collect.claim import *
from rnn_course.collect.files import *
from rnn_course.collect.roster import *
from rnn_course.collect.submission import *
from rnn_course.collect.times import *
