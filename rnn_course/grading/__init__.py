"""One submission, from its bytes to its report: run in the sandbox, judged outside it."""

from rnn_course.grading.asking import *
from rnn_course.grading.errors import *
from rnn_course.grading.exams import *
from rnn_course.grading.key import *
from rnn_course.grading.notes import *
from rnn_course.grading.problem import *
from rnn_course.grading.program import *
from rnn_course.grading.report import *
from rnn_course.grading.row import *
from rnn_course.grading.second_chance import *
from rnn_course.grading.transcript import *
