"""Training: a generator that makes one update for each batch and yields a step after it.

You decide when to stop, what to print and what to save:

    start = model.init(rng)
    for step in train(model, start, batches, softmax_cross_entropy, adam(1e-3)):
        print(step.index, step.loss)
    params = step.params

The last line is easily forgotten. If the untrained parameters are called `params` too, the code
that follows uses them, and no error is raised: they are plain arrays, which `train` never changes.
So call them `start`; then a forgotten line is a NameError. Without anything to do between the
steps, no loop is needed:

    params = last_step(train(model, start, batches, softmax_cross_entropy, adam(1e-3))).params

A step is a tuple, so a loop can also name its parts:

    for index, loss, norm, params, state in train(...): ...
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from rnn_tutorial.layers.layer import Layer, check_rng_or_none
from rnn_tutorial.train.memory import keep_freed_memory
from rnn_tutorial.train.optimizers import Optimizer
from rnn_tutorial.tree import tree_add, tree_norm
from rnn_tutorial.types import Array, Loss, Mask, Rng, Tree
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
    """The data of one step of training. A plain tuple `(xs, targets, ...)` in this order will do.

    `mask` (T, B) is True on real steps and goes to the model. `target_mask`, of the shape of the
    outputs without their last axis, is True where an output counts and goes to the loss. If it is
    left out and the model has an output at each step, it is `mask`, so that padding never counts.
    If the model has one output a sequence, all outputs count.
    """

    xs: Any  # what the model reads: usually an array (T, B, D), of a Seq2Seq a Pair
    targets: Array
    mask: Mask | None = None
    target_mask: Mask | None = None


class TrainingStep(NamedTuple):
    """What `train` yields after each update."""

    index: int  # type: ignore[assignment]  # of the batch, 0 at first; hides tuple.index
    loss: float  # of the batch, before the update
    gradient_norm: float  # before the update, over all parameters
    params: Tree  # after the update
    optimizer_state: Any  # after the update


class TrainingDiverged(FloatingPointError):
    """The loss of step `step`, or its gradient, is NaN or infinite.

    `loss` is that loss. `params` and `optimizer_state` are the last good ones, for which loss and
    gradient were finite: those before the last update, which led to this step.
    """

    def __init__(self, step: int, loss: float, params: Tree, optimizer_state: Any) -> None:
        what = f"the loss is {loss}" + (
            ", but its gradient is not finite" if np.isfinite(loss) else ""
        )
        super().__init__(
            f"training diverged at step {step}: {what}; "
            "the last good parameters are in `.params` of this error"
        )
        self.step, self.loss, self.params, self.optimizer_state = (
            step,
            loss,
            params,
            optimizer_state,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make it again, for pickle: by default it would be made of its message."""
        return type(self), (self.step, self.loss, self.params, self.optimizer_state), self.__dict__


def train(
    model: Layer,
    params: Tree,
    batches: Iterable[Any],
    loss: Loss,
    optimizer: Optimizer,
    *,
    optimizer_state: Any = None,
    rng: Rng | None = None,
) -> Iterator[TrainingStep]:
    """Return a generator that makes one update for each batch and yields a `TrainingStep` after it.

    ys, _, cache = model.forward(params, xs)
    value, dys = loss(ys, targets)
    dparams, _, _ = model.backward(params, cache, dys)
    params <- params + optimizer.update(dparams)

    `batches` yields `Batch`es or tuples `(xs, targets)`. Each batch starts from the model's first
    state. `rng` is for layers that draw random numbers in training, such as dropout; without it
    they act as in evaluation. The arrays given to it are never changed: the trained parameters are
    those of the last step, see the top of this file.

    You may stop and go on later, and the result is the same bit for bit. For this, save the
    `params` and `optimizer_state` of a step, and `rng` as it was after that step,
    `save(path, {"params": step.params, "optimizer": step.optimizer_state, "rng": rng})`, and go on
    with the next batch. If the batches are drawn at random, save their generator as well.

    Raises: TrainingDiverged at the first step whose loss or gradient is not finite, before that
    step's update. If a layer or the loss received the NaN, perhaps from the data, its error is the
    `__cause__` and says where. TypeError for anything that is not a loss, an optimizer, a
    generator, a batch, or a state of this optimizer; ValueError or TypeError for a gradient that
    does not fit the parameters. Errors come with the first step: a call of `train` alone does not
    run anything.
    """
    check_rng_or_none(rng)
    _check_loss(loss)
    if not hasattr(optimizer, "update"):
        raise TypeError(
            f"optimizer: expected an optimizer, such as adam(1e-3), got {type(optimizer).__name__}"
        )
    keep_freed_memory()
    state = optimizer.init(params) if optimizer_state is None else optimizer_state
    good = params, state
    for index, batch in enumerate(batches):
        try:
            value, dparams, norm = _loss_and_gradient(model, params, _as_batch(batch), loss, rng)
        except NotFiniteError as error:  # a layer or the loss received a NaN or an infinity
            raise TrainingDiverged(index, np.nan, *good) from error
        if not (np.isfinite(value) and np.isfinite(norm)):
            raise TrainingDiverged(index, value, *good)
        good = params, state
        updates, state = optimizer.update(dparams, state)
        params = tree_add(params, updates)
        del dparams, updates  # they need not be in memory while the next step runs
        yield TrainingStep(index, value, norm, params, state)


def last_step(steps: Iterable[TrainingStep]) -> TrainingStep:
    """Return the last of the steps that `train` yields. Only one is in memory at a time.

    Raises: as in `train`, and ValueError if there is no step, since there was no batch.
    """
    last = deque(steps, maxlen=1)
    if not last:
        raise ValueError("steps: expected at least one, got none: there was no batch")
    return last[0]


def evaluate(model: Layer, params: Tree, batches: Iterable[Any], loss: Loss) -> float:
    """Return the mean loss over all batches, in evaluation.

    Each batch is weighted by how many outputs its loss counts. So the mean does not depend on how
    the data are cut into batches.

    Raises: ValueError if there is no batch, TypeError for anything that is not a loss or a batch.
    """
    _check_loss(loss)
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


def with_progress(
    steps: Iterable[TrainingStep], total: int | None = None
) -> Iterator[TrainingStep]:
    """Return the same steps, with a progress bar that shows the loss.

    `total` is how many are expected.

    Raises: ImportError, with what to install, if tqdm is missing.
    """
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise ImportError("the progress bar needs tqdm: pip install tqdm") from None
    return _show_loss(tqdm(steps, total=total))


def _show_loss(bar: Any) -> Iterator[TrainingStep]:
    for step in bar:
        bar.set_postfix(loss=f"{step.loss:.4g}", refresh=False)
        yield step


def _loss_and_gradient(
    model: Layer, params: Tree, batch: Batch, loss: Loss, rng: Rng | None
) -> tuple[float, Tree, float]:
    """Return (loss, gradient, norm of the gradient).

    Overflow gives no warning here, since the caller checks whether the results are finite.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        ys, _, cache = model.forward(params, batch.xs, mask=batch.mask, rng=rng)
        value, dys = loss(ys, batch.targets, mask=_target_mask(batch, ys))
        del ys  # often the largest array of a step, and nothing else needs it
        dparams, _, _ = model.backward(params, cache, dys)
        check_like("gradient", dparams, params)
        return float(value), dparams, tree_norm(dparams)


def _target_mask(batch: Batch, ys: Array) -> Mask | None:
    """Return which outputs count in the loss: see `Batch`."""
    follows = (
        batch.target_mask is None and batch.mask is not None and ys.ndim == batch.mask.ndim + 1
    )
    return batch.mask if follows else batch.target_mask


def _check_loss(loss: object) -> None:
    if not callable(loss):
        raise TypeError(
            f"loss: expected a loss, such as softmax_cross_entropy, got {type(loss).__name__}"
        )


def _as_batch(batch: Any) -> Batch:
    if not isinstance(batch, tuple) or not 2 <= len(batch) <= 4:
        raise TypeError(
            "batches: expected a Batch or a tuple (xs, targets) for each step, "
            f"got {type(batch).__name__}"
        )
    return Batch(*batch)
