"""Decoding the outputs of CTC: the likeliest alignment, or the likeliest labelling.

Many alignments say one labelling. `ctc_greedy` takes the likeliest symbol at each step and says
what this one alignment says; a labelling with many alignments, none of them the likeliest, may be
more probable. `ctc_prefix_beam` adds up the alignments of each beginning.

Source: Graves et al. (2006), section 3.2; Hannun, Maas, Jurafsky and Ng (2014), "First-pass large
vocabulary continuous speech recognition using bi-directional recurrent DNNs", for the prefix beam.
"""

from collections import defaultdict

import numpy as np

from rnn_tutorial.decoding.hypothesis import Hypothesis
from rnn_tutorial.train.ctc import collapse
from rnn_tutorial.train.losses import log_softmax
from rnn_tutorial.types import Array, Mask
from rnn_tutorial.validation import check_array, check_finite, check_mask, check_positive

__all__ = ["ctc_greedy", "ctc_prefix_beam"]


def ctc_greedy(
    logits: Array, *, mask: Mask | None = None, blank: int = 0
) -> list[list[Hypothesis]]:
    """Return, for each sequence, a list of one Hypothesis: what the likeliest alignment says.

    Its log_probability is that of this one alignment, not of the labelling.

    Shapes: logits (T, B, V), mask (T, B).

    Raises: as in `ctc_prefix_beam`.
    """
    log_y, lengths = _checked(logits, mask, blank)
    found = []
    for b, length in enumerate(lengths):
        best = log_y[:length, b].argmax(axis=-1)
        log_p = float(log_y[np.arange(length), b, best].sum())
        found.append([Hypothesis(collapse(best.tolist(), blank), log_p)])
    return found


def ctc_prefix_beam(
    logits: Array, width: int, *, mask: Mask | None = None, blank: int = 0
) -> list[list[Hypothesis]]:
    """Return, for each sequence, at most `width` Hypotheses, the best first.

    A beginning of a labelling has two probabilities: of its alignments that end in a blank, and of
    those that end in its last label. After a blank the same label may follow as a new one; directly
    after itself it is the same one, held. At each step the `width` most probable beginnings are
    kept. With a width that drops none, log_probability is that of the labelling, exactly.

    Shapes: logits (T, B, V), mask (T, B).

    Raises: ValueError for a width that is not a positive whole number, or for shapes that do not
    belong together; IndexError for a blank outside 0..V-1; NotFiniteError for logits that are not
    finite.
    """
    check_positive("width", width)
    log_y, lengths = _checked(logits, mask, blank)
    return [_prefixes(log_y[:length, b], width, blank) for b, length in enumerate(lengths)]


def _prefixes(log_y: Array, width: int, blank: int) -> list[Hypothesis]:
    """Return the best Hypotheses of one sequence, log_y (T, V)."""
    # prefix: (log p of its alignments that end in a blank, of those that end in its last label)
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -np.inf)}
    for row in log_y:
        after: dict[tuple[int, ...], list[float]] = defaultdict(lambda: [-np.inf, -np.inf])
        for prefix, (p_blank, p_label) in beams.items():
            p = float(np.logaddexp(p_blank, p_label))
            held = after[prefix]
            held[0] = np.logaddexp(held[0], p + row[blank])
            if prefix:
                held[1] = np.logaddexp(held[1], p_label + row[prefix[-1]])
            for label, log_p in enumerate(row):
                if label != blank:
                    new = after[*prefix, label]
                    before = p_blank if prefix and label == prefix[-1] else p
                    new[1] = np.logaddexp(new[1], before + log_p)
        best = sorted(after.items(), key=lambda item: -np.logaddexp(item[1][0], item[1][1]))[:width]
        beams = {prefix: (p[0], p[1]) for prefix, p in best}
    return [Hypothesis(prefix, float(np.logaddexp(p[0], p[1]))) for prefix, p in beams.items()]


def _checked(logits: Array, mask: Mask | None, blank: int) -> tuple[Array, list[int]]:
    """Return (log-probabilities, the number of real steps of each sequence)."""
    check_array("logits", logits, T=None, B=None, V=None)
    T, B, V = logits.shape
    if not 0 <= blank < V:
        raise IndexError(f"blank: expected a symbol in 0..{V - 1}, got {blank}")
    check_finite("logits", logits)
    if mask is None:
        return log_softmax(logits), [T] * B
    check_mask(mask, T, B)
    return log_softmax(logits), [int(n) for n in mask.sum(axis=0)]
