"""Teacher forcing: in training, a decoder reads the right symbols, and not its own.

    targets      B AA K S ER end
    prefix   start B AA K S  ER

The prefix is the targets one step late. If it is not late, the decoder reads at each step the
symbol that it should predict, learns to copy it, and has nothing to copy when it writes by itself.

Source: Williams and Zipser (1989), "A learning algorithm for continually running fully recurrent
neural networks", section 4.
"""

from collections.abc import Sequence

import numpy as np

from rnn_tutorial.data.batches import pad
from rnn_tutorial.layers.seq2seq import Pair
from rnn_tutorial.train.training import Batch

__all__ = ["teacher_forced"]


def teacher_forced(
    sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], start: int, end: int
) -> Batch:
    """Return a Batch for `Seq2Seq`: Pair(source, prefix, mask), targets, and the targets' mask.

    Each target is followed by `end`, each prefix begins with `start`. The end counts in the loss:
    when to stop is to be learned too.

    Shapes: B sources and B targets of any lengths; source and mask (S, B), prefix, targets and
    target_mask (T, B), where T is the longest target and one more.

    Raises: ValueError for different numbers of sources and targets, for an empty source, or for a
    target with start or end in it.

    Example:
    >>> batch = teacher_forced([[5, 6], [7]], [[2, 3, 4], [2]], start=0, end=1)
    >>> batch.xs.prefix.T
    array([[0, 2, 3, 4],
           [0, 2, 0, 0]])
    >>> batch.targets.T
    array([[2, 3, 4, 1],
           [2, 1, 0, 0]])
    """
    if len(sources) != len(targets):
        raise ValueError(f"targets: expected {len(sources)}, one a source, got {len(targets)}")
    for b, target in enumerate(targets):
        if start in target or end in target:
            raise ValueError(
                f"targets[{b}]: expected neither start, {start}, nor end, {end}, got {target}"
            )
    source, mask = pad([np.asarray(s) for s in sources])
    prefix, target_mask = pad([np.array([start, *t]) for t in targets])
    written, _ = pad([np.array([*t, end]) for t in targets])
    return Batch(Pair(source, prefix, mask), written, None, target_mask)
