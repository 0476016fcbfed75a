"""In a user's file, a type checker accepts right code and finds mistakes in wrong code."""

import re
import textwrap

import pytest
from chapter_files import ROOT

RIGHT = {
    "train": """
        import numpy as np
        from rnn_tutorial.cells import LSTM
        from rnn_tutorial.data import delayed_echo
        from rnn_tutorial.layers import Dense, Recurrent, Serial
        from rnn_tutorial.train import adam, mean_squared_error, train

        rng = np.random.default_rng(0)
        model = Serial((Recurrent(LSTM, input_size=1, hidden_size=8), Dense(8, 1)))
        params = model.init(rng)
        batches = (delayed_echo(rng, T=10, B=16, delay=2) for _ in range(300))
        for step in train(model, params, batches, mean_squared_error, adam(1e-2)):
            params = step.params
        ys, state, cache = model.forward(params, np.zeros((10, 1, 1)))
        dparams, dxs, dstate = model.backward(params, cache, np.ones_like(ys))
        print(ys.shape, step.loss < 0.01)
        """,
    "faces": """
        from rnn_tutorial.cells import GRU, LSTM, Elman, ElmanState, LSTMParams, LSTMState
        from rnn_tutorial.gradient_check import check_cell, check_layer, compare
        from rnn_tutorial.layers import Bidirectional, Dense, Embedding, Last, Recurrent, Residual
        from rnn_tutorial.sequence import step, trace, unroll, unroll_backward
        from rnn_tutorial.train import Batch, adam, cosine, sgd, softmax_cross_entropy
        from rnn_tutorial.exchange.pytorch import from_pytorch, to_pytorch
        from rnn_tutorial.plotting import plot_gates
        from rnn_tutorial.data import Vocabulary, pad
        """,
    "cell": """
        import numpy as np
        from rnn_tutorial.cells import LSTM, LSTMState
        from rnn_tutorial.gradient_check import check_cell
        from rnn_tutorial.sequence import unroll

        rng = np.random.default_rng(0)
        params = LSTM.init(rng, 4, 5)
        state = LSTMState(np.zeros((3, 5)), np.zeros((3, 5)))
        (hs, last), cache = unroll(LSTM, params, np.zeros((6, 3, 4)), state)
        check_cell(LSTM, rng, T=4, H=3)
        """,
    "schedules": """
        from rnn_tutorial.train import adam, cosine, sgd

        def falling(step: int) -> float:
            return 0.1 / (1 + step)

        optimizers = [adam(1e-3), adam(cosine(1e-2, 1e-4, 100)), sgd(falling), sgd(1)]
        """,
    "own_layer": """
        from typing import Any
        import numpy as np
        from rnn_tutorial.gradient_check import check_layer
        from rnn_tutorial.layers import Dense, Layer, Serial
        from rnn_tutorial.types import Array, Rng

        class Double:
            def init(self, rng: Rng) -> tuple[()]:
                return ()

            def initial_state(self, params: Any, batch_size: int) -> tuple[()]:
                return ()

            def forward(
                self, params: Any, xs: Array, state: Any = None, *,
                mask: Array | None = None, rng: Rng | None = None,
            ) -> tuple[Array, Any, Any]:
                return 2 * xs, (), ()

            def backward(
                self, params: Any, cache: Any, dys: Array, dstate: Any = None
            ) -> tuple[Any, Array | None, Any]:
                return (), 2 * dys, ()

        layer: Layer = Double()
        check_layer(Serial((layer, Dense(2, 2))), np.zeros((3, 1, 2)), np.random.default_rng(0))
        """,
    "losses": """
        from typing import Any
        import numpy as np
        from rnn_tutorial.types import Array, Loss
        from rnn_tutorial.train import mean_squared_error, softmax_cross_entropy

        def half(ys: Array, targets: Array, *, mask: Array | None = None) -> tuple[Any, Array]:
            value, dys = mean_squared_error(ys, targets, mask=mask)
            return value / 2, dys / 2

        losses: list[Loss] = [half, mean_squared_error, softmax_cross_entropy]
        """,
}

BEFORE = """
import numpy as np
from rnn_tutorial.cells import GRU, LSTM, Elman
from rnn_tutorial.gradient_check import check_cell, check_layer, compare
from rnn_tutorial.layers import Dense, Embedding, Recurrent, Serial
from rnn_tutorial.sequence import unroll
from rnn_tutorial.train import Batch, adam, cosine, evaluate, mean_squared_error, sgd, train

rng = np.random.default_rng(0)
model = Serial((Recurrent(LSTM, input_size=1, hidden_size=8), Dense(8, 1)))
params, xs = model.init(rng), np.zeros((10, 1, 1))
"""
WRONG = [
    "model.init(0)",
    'model.init("zeros")',
    'model.forward(params, "nonsense")',
    "model.forward(params, [[[1.0]]])",
    "model.forward(params, xs, rng=0)",
    "model.forward(params, xs, None, np.ones((10, 1), bool))",
    'model.backward(params, None, "nonsense")',
    "model.initial_state(params)",
    "ys, state = model.forward(params, xs)",
    "Dense(8)",
    'Dense("8", 1)',
    'Recurrent("lstm", 1, 8)',
    "Recurrent(LSTM, 1, hidden=8)",
    "Serial((LSTM, Dense(8, 1)))",
    'Embedding(10, "big")',
    'check_cell("lstm", rng)',
    "check_cell(LSTM, 0)",
    "check_cell(LSTM, rng, steps=3)",
    'check_layer("dense", xs, rng)',
    "check_layer(model, xs)",
    "LSTM.hidden",
    'unroll("gru", params, xs, None)',
    'adam("fast")',
    "adam(rate=[0.1])",
    "adam(learning_rate=0.1)",
    'cosine("high", 0.0, 100)',
    "train(model, params, [Batch(xs, xs)], 'mse', adam())",
    "train(model, params, [Batch(xs, xs)], mean_squared_error, 'adam')",
    "train(LSTM, params, [Batch(xs, xs)], mean_squared_error, adam())",
    "mean_squared_error(xs)",
    "from rnn_tutorial.cells import LTSM",
]

BEFORE_LAYERS = """
import numpy as np
from rnn_tutorial.cells import LSTM
from rnn_tutorial.layers import (
    Bidirectional, Dense, Dropout, Embedding, Last, Layer, Merge, Recomputed, Recurrent, Residual,
    Reversed, Serial, VariationalDropout, Zoneout,
)
from rnn_tutorial.train import adam, mean_squared_error, train

rng = np.random.default_rng(0)
one = Recurrent(LSTM, 3, 4)
all_of_them: list[Layer] = [
    one, Dense(4, 2), Embedding(5, 3), Last(), Serial((one, Dense(4, 2))), Residual(one),
    Reversed(one), Bidirectional(one, one), Recomputed(one), Dropout(0.5), VariationalDropout(0.5),
    Zoneout(LSTM, 3, 4, None),
]
model = Serial((one, Dense(4, 2)))
params, xs, ys = model.init(rng), np.zeros((2, 3, 3)), np.zeros((2, 3, 2))
for step in train(model, params, [(xs, ys)], mean_squared_error, adam(1e-3), rng=rng):
    print(f"{step.loss:.3f}", step.params)
"""
WRONG_WITH_LAYERS = [
    "model.init(0)",
    "model.forward(params, 'nonsense')",
    "model.forward(params, xs, rng=0)",
    "one.init(0)",
    "one.forward(params, 'nonsense')",
    "Dense(4, 2).forward(params, 'nonsense')",
    "Embedding(5, 3).init(0)",
    "Last().forward((), 'nonsense')",
    "Bidirectional(one, one).forward(params, 'nonsense')",
    "Recomputed(one).init(0)",
    "Dropout(0.5).forward((), 'nonsense')",
    "Serial((Dense,))",
    "Merge('max', np.maximum, None)",
    "train(model, params, [], 'mse', adam())",
    "train(model, params, [], mean_squared_error, adam)",
    "train(model, params, [], mean_squared_error, adam(), rng=0)",
]
FILES = {"wrong.py": (BEFORE, WRONG), "wrong_layers.py": (BEFORE_LAYERS, WRONG_WITH_LAYERS)}
MISTAKES = [
    (file, before.count("\n") + 1 + k, code)
    for file, (before, wrong) in FILES.items()
    for k, code in enumerate(wrong)
]
SETTINGS = """
[mypy]
strict = true
mypy_path = {root}
python_version = 3.11
cache_dir = {cache}

[mypy-rnn_tutorial.*]
follow_imports = silent
"""


@pytest.fixture(scope="module")
def lines_with_errors(tmp_path_factory):
    """Return {(file, line): the error that mypy reports there} for all samples, in strict mode."""
    api = pytest.importorskip("mypy.api")
    folder = tmp_path_factory.mktemp("user")
    for name, code in RIGHT.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(code), encoding="utf-8")
    for name, (before, wrong) in FILES.items():
        (folder / name).write_text(before + "\n".join(wrong) + "\n", encoding="utf-8")
    settings = folder / "mypy.ini"
    cache = ROOT / ".mypy_cache" / "users"  # kept from run to run, as make lint keeps its own
    settings.write_text(SETTINGS.format(root=ROOT, cache=cache), encoding="utf-8")
    report, problem, _ = api.run(
        ["--config-file", str(settings), "--no-error-summary", *map(str, folder.glob("*.py"))]
    )
    assert not problem, problem
    found = re.findall(r"^(?:.*[\\/])?(\w+\.py):(\d+): error: (.*)$", report, re.MULTILINE)
    return {(file, int(line)): words for file, line, words in found}


@pytest.mark.parametrize("name", RIGHT)
def test_right_code_is_accepted(lines_with_errors, name):
    assert {line: e for (file, line), e in lines_with_errors.items() if file == f"{name}.py"} == {}


@pytest.mark.parametrize("file, line, code", MISTAKES)
def test_a_mistake_is_found(lines_with_errors, file, line, code):
    said = lines_with_errors.get((file, line), "nothing")
    assert said != "nothing" and "[no-untyped-call]" not in said, said


@pytest.mark.parametrize("file", FILES)
def test_the_lines_before_the_mistakes_are_right(lines_with_errors, file):
    last = FILES[file][0].count("\n")
    found = {line: error for (name, line), error in lines_with_errors.items() if name == file}
    assert {line: error for line, error in found.items() if line <= last} == {}
