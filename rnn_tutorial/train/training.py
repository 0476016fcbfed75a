"""Training: a generator that makes one step for each batch and hands you everything after it.

You decide when to stop, what to print and what to save:

    start = model.init(rng)
    for step in train(model, start, batches, softmax_cross_entropy, adam(1e-3)):
        print(step.index, step.loss)
    params = step.params

The last line is easily forgotten, and where the untrained parameters are called `params` too, what
follows works with them without a word. Nothing can tell that they were not meant: they are plain
arrays, which `train` never changes, and to use them again is no mistake in itself. So call them
`start`, and to forget the line is a NameError. Where nothing is to be done between the steps, there
need be no loop:

    params = last_step(train(model, start, batches, softmax_cross_entropy, adam(1e-3))).params

A step is a tuple, so a loop can also bind the name in its head: `for index, loss, norm, params,
state in train(...)`.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.tree import tree_add, tree_norm
from rnn_tutorial.validation import NotFiniteError, check_like

__all__ = [
    "Batch",
    "TrainingDiverged",
    "TrainingStep",
    "evaluate",
    "last_step",
    "train",
    "with_progress",
]


class Batch(NamedTuple):
    """What one step of training sees. A plain tuple in this order, `(xs, targets)` at least, serves as well.

    `mask` (T, B) is True on real steps and goes to the model. `target_mask`, of the shape of the
    outputs without their last axis, is True where an output counts and goes to the loss. Left out,
    it is `mask` for a model with an output at each step, so that padding never counts, and counts
    everything for a model with one output a sequence.
    """

    xs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray | None = None
    target_mask: np.ndarray | None = None


class TrainingStep(NamedTuple):
    """What one step of training yields."""

    index: int  # of the batch, 0 at first
    loss: float  # of the batch, before the update
    gradient_norm: float  # before the update, over all parameters
    params: Any  # after the update
    optimizer_state: Any  # after the update


class TrainingDiverged(FloatingPointError):
    """The loss of step `step`, or its gradient, is NaN or infinite.

    `loss` is that loss. `params` and `optimizer_state` are the last good ones, for which loss and
    gradient were finite: those before the last update, since it was that update which led here.
    """

    def __init__(self, step, loss, params, optimizer_state):
        what = f"the loss is {loss}" + (
            ", but its gradient is not finite" if np.isfinite(loss) else ""
        )
        super().__init__(
            f"training diverged at step {step}: {what}; the last good parameters are in `.params` of this error"
        )
        self.step, self.loss, self.params, self.optimizer_state = (
            step,
            loss,
            params,
            optimizer_state,
        )

    def __reduce__(self):
        """Return how to make it again: with its message alone, as by default, it could not come from another process."""
        return type(self), (self.step, self.loss, self.params, self.optimizer_state), self.__dict__


def train(model, params, batches, loss, optimizer, *, optimizer_state=None, rng=None):
    """Return a generator that makes one update for each batch and yields a `TrainingStep` after it.

    ys = model.forward(params, xs); value, dys = loss(ys, targets); dparams = model.backward(params,
    dys); params <- params + optimizer.update(dparams).

    `batches` yields `Batch`es or tuples `(xs, targets)`. Each batch starts from the model's first
    state. `rng` is for layers that draw random numbers in training, such as dropout; without it
    they act as in evaluation. The arrays handed in are never changed: the trained parameters are
    those of the last step, see the top of this file.

    Going on with the `params` and `optimizer_state` that a step yielded gives bit for bit what not
    stopping would have given, if `rng` is given too, as it was after that step: save it with them,
    `save(path, {"params": step.params, "optimizer": step.optimizer_state, "rng": rng})`, and go on
    with the next batch. Batches that are drawn at random need theirs as well.

    Raises: TrainingDiverged at the first step whose loss or gradient is not finite, before that
    step's update. If a layer or the loss was handed the NaN, in the data perhaps, its error is the
    `__cause__` and says where. TypeError for anything that is not an optimizer, a batch, or a state
    of this optimizer; ValueError or TypeError for a gradient that does not fit the parameters.
    Errors come when the first step is asked for: calling `train` alone does nothing yet.
    """
    if not hasattr(optimizer, "update"):
        raise TypeError(
            f"optimizer: expected an optimizer, such as adam(1e-3), got {type(optimizer).__name__}"
        )
    state = optimizer.init(params) if optimizer_state is None else optimizer_state
    good = params, state
    for index, batch in enumerate(batches):
        try:
            value, dparams, norm = _loss_and_gradient(model, params, _as_batch(batch), loss, rng)
        except NotFiniteError as error:  # a layer was handed a NaN or an infinity
            raise TrainingDiverged(index, np.nan, *good) from error
        if not (np.isfinite(value) and np.isfinite(norm)):
            raise TrainingDiverged(index, value, *good)
        good = params, state
        updates, state = optimizer.update(dparams, state)
        params = tree_add(params, updates)
        yield TrainingStep(index, value, norm, params, state)


def last_step(steps):
    """Return the last of the steps that `train` yields, keeping no other in memory.

    Raises: what `train` raises, and ValueError if there is no step, since there was no batch.
    """
    steps = deque(steps, maxlen=1)
    if not steps:
        raise ValueError("steps: expected at least one, got none: there was no batch")
    return steps[0]


def evaluate(model, params, batches, loss):
    """Return the mean loss over all batches, in evaluation mode, each batch weighted by what its loss counts.

    So the mean does not depend on how the data are cut into batches. Raises: ValueError if there is
    no batch.
    """
    total, count = 0.0, 0
    for batch in map(_as_batch, batches):
        ys, _, _ = model.forward(params, batch.xs, mask=batch.mask)
        target_mask = _target_mask(batch, ys)
        value, _ = loss(ys, batch.targets, mask=target_mask)
        counted = int(
            np.prod(ys.shape[:-1]) if target_mask is None else np.count_nonzero(target_mask)
        )
        total, count = total + float(value) * counted, count + counted
    if count == 0:
        raise ValueError("batches: expected at least one batch, got none")
    return total / count


def with_progress(steps: Iterator[TrainingStep], total=None):
    """Return the same steps behind a progress bar that shows the loss; `total` is how many are expected.

    Raises: ImportError, with what to install, if tqdm is missing.
    """
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("the progress bar needs tqdm: pip install tqdm") from None
    return _show_loss(tqdm(steps, total=total))


def _show_loss(bar):
    for step in bar:
        bar.set_postfix(loss=f"{step.loss:.4g}", refresh=False)
        yield step


def _loss_and_gradient(model, params, batch, loss, rng):
    """Return (loss, gradient, norm of the gradient). Overflow needs no warning here: the caller looks for its result."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        ys, _, cache = model.forward(params, batch.xs, mask=batch.mask, rng=rng)
        value, dys = loss(ys, batch.targets, mask=_target_mask(batch, ys))
        dparams, _, _ = model.backward(params, cache, dys)
        check_like("gradient", dparams, params)
        return float(value), dparams, tree_norm(dparams)


def _target_mask(batch, ys):
    """Return what counts in the loss: where the outputs are a sequence, padding does not, unless the batch says otherwise."""
    follows = (
        batch.target_mask is None and batch.mask is not None and ys.ndim == batch.mask.ndim + 1
    )
    return batch.mask if follows else batch.target_mask


def _as_batch(batch):
    if not isinstance(batch, tuple) or not 2 <= len(batch) <= 4:
        raise TypeError(
            f"batches: expected a Batch or a tuple (xs, targets) for each step, got {type(batch).__name__}"
        )
    return Batch(*batch)
