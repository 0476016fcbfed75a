"""The benchmark of speed: all programs compute the same, and the page shows the stored numbers."""

import csv
import json
import os
import re
from itertools import product

import numpy as np
import pytest

from benchmarks.speed import __main__ as speed
from benchmarks.speed import measuring
from benchmarks.speed.figure import draw
from benchmarks.speed.flops import bytes_moved, flops, products_alone
from benchmarks.speed.implementations import (
    CELLS,
    COMPILED,
    EPYNN,
    MAKERS,
    MODULES,
    NUMPY_ML,
    OURS,
    PLAIN,
    PYTORCH,
    UNROLL,
    check_programs,
    disagreement,
    installed,
    problem,
    programs,
)
from benchmarks.speed.measuring import (
    DTYPES,
    PRODUCTS,
    SHAPES,
    clean_environment,
    traced_peak,
)
from benchmarks.speed.page import blocks, filled, verdict_lines
from benchmarks.speed.tables import TABLES, at_shape, pick, ratios, write_table
from rnn_tutorial.data import read_table
from rnn_tutorial.speed import count_calls, products, total

RESULTS = speed.RESULTS

SHAPE = 3, 6, 4, 5  # B, T, D, H
each_cell = pytest.mark.parametrize("name", CELLS)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@pytest.fixture(scope="module")
def stored():
    """Return the stored tables; skip if the page says that no run is stored, and none is."""
    if "No run is stored yet." in speed.README.read_text(encoding="utf-8"):
        assert not list(RESULTS.glob("speed*.csv")) and not speed.FIGURE.exists()
        pytest.skip("no run is stored yet")
    return {name: read_table(RESULTS / f"{name}.csv") for name in TABLES}


@each_cell
@each_dtype
@pytest.mark.parametrize("shape", [SHAPE, (1, 1, 1, 1), (1, 9, 2, 3)])
def test_everything_that_is_timed_computes_the_same(name, dtype, shape):
    made = programs(problem(name, dtype, shape), MAKERS)
    assert {OURS, UNROLL, PLAIN} <= set(made)
    check_programs(made)


@each_cell
@pytest.mark.parametrize("library", MODULES)
def test_a_library_computes_the_same(name, library):
    """As above, but skipped by name where the library is missing."""
    if not installed(library):
        pytest.skip(f"could not import '{MODULES[library]}'")
    dtype = "float32" if library == COMPILED else "float64"
    made = programs(problem(name, dtype, SHAPE), (OURS, library))
    missing = {NUMPY_ML: ["GRU"], COMPILED: ["GRU", "RNN"]}.get(library, [])
    assert (library in made) == (name not in missing)
    check_programs(made)


@each_cell
def test_the_plain_loop_is_unroll(name):
    made = programs(problem(name, "float64", SHAPE), (PLAIN, UNROLL))
    plain, readable = (program.read(program.run()) for program in (made[PLAIN], made[UNROLL]))
    assert disagreement(plain, readable) < 1e-12


@each_cell
@pytest.mark.parametrize("program", [OURS, UNROLL, PLAIN])
def test_a_program_that_computes_something_else_is_not_timed(name, program):
    task = problem(name, "float64", SHAPE)
    for changed in ("params", "xs", "dhs"):
        value = (
            task.params._replace(b=task.params.b + 1e-6)
            if changed == "params"
            else getattr(task, changed) * (1 + 1e-6)
        )
        other = MAKERS[program](task._replace(**{changed: value}))._replace(problem=task)
        made = programs(task, (OURS, UNROLL)) | {program: other}
        with pytest.raises(AssertionError, match="expected an error of at most 1e-10"):
            check_programs(made | {UNROLL if program == OURS else OURS: MAKERS[UNROLL](task)})


@each_cell
@pytest.mark.parametrize("program", [UNROLL, PLAIN])
def test_the_operations_are_those_of_the_products_that_are_computed(name, program):
    task = problem(name, "float64", SHAPE)
    ledger = count_calls(
        lambda params, xs, dhs: MAKERS[program](task._replace(params=params, xs=xs, dhs=dhs)).run(),
        task.params,
        task.xs,
        task.dhs,
    )
    assert total(products(ledger), "flop") == flops(len(CELLS[name].gates), SHAPE)


@each_cell
@each_dtype
def test_the_products_alone_are_those_of_the_fast_path(name, dtype, monkeypatch):
    """Compare shapes, strides and dtypes in the loops (np.matmul is replaced), and shapes after."""
    kernel, task = CELLS[name].fast, problem(name, dtype, SHAPE)
    recorded = {}
    for side, run in {
        "fast path": MAKERS[OURS](task).run,
        "alone": products_alone(kernel, dtype, SHAPE),
    }.items():
        calls = recorded[side] = []

        def matmul(a, b, out=None, calls=calls):
            calls.append(
                [
                    (x.dtype, x.shape, [s for s, n in zip(x.strides, x.shape) if n > 1])
                    for x in (a, b, out)
                ]
            )
            return np.einsum("...ij,...jk->...ik", a, b, out=out)

        with monkeypatch.context() as patch:
            patch.setattr(np, "matmul", matmul)
            result = run()
    (B, T, D, H), G, products_a_step = SHAPE, len(CELLS[name].gates), 3 if name == "GRU" else 1
    assert len(recorded["fast path"]) == (products_a_step + 1) * T
    assert sorted(recorded["fast path"], key=str) == sorted(recorded["alone"], key=str)
    *weights, dxs = result
    assert dxs.shape == (T * B, D)
    entries = sum(array.size for array in weights)  # of W_x, W_h and b, and of the GRU's own b_hn
    assert entries == G * H * (D + H + 1) + (H if name == "GRU" else 0)
    assert all(array.dtype == dtype for array in result)


@each_cell
def test_the_bytes_grow_with_the_dtype_and_the_intensity_with_the_batch(name):
    cell, gates = CELLS[name], len(CELLS[name].gates)
    B, T, D, H = SHAPE
    assert bytes_moved(cell, "float64", SHAPE) == 2 * bytes_moved(cell, "float32", SHAPE)
    once = [bytes_moved(cell, "float32", (B, steps, D, H)) for steps in (1, 2, 3)]
    assert once[2] - once[1] == once[1] - once[0] >= 4 * (2 * gates * H * H + 2 * B * D)
    intensities = [
        flops(gates, (B, T, 64, 64)) / bytes_moved(cell, "float32", (B, T, 64, 64))
        for B in (1, 32, 256)
    ]
    assert intensities == sorted(intensities) and intensities[-1] > 5 * intensities[0]


def test_a_measuring_process_has_its_threads_and_no_other_setting(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OMP_PROC_BIND", "true")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    environment = clean_environment(2)
    blas = {
        name: value
        for name, value in environment.items()
        if name.startswith(("OPENBLAS_", "OMP_", "MKL_"))
    }
    assert blas == dict.fromkeys(
        ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "2"
    )
    assert environment["PATH"] == os.environ["PATH"]


def test_the_traced_peak_is_what_is_needed_besides_what_is_returned():
    def run():
        scratch = np.ones(100_000)
        return scratch[:50_000] + 1

    assert 0.99 < traced_peak(run) / 8e5 < 1.05


def test_what_is_recomputed_takes_less_memory_and_grows_slower():
    def row(T):
        task = problem("LSTM", "float32", (32, T, 8, 32))
        layer = measuring.Recurrent(task.cell, 8, 32)
        layers = layer, measuring.Recomputed(layer)
        peaks = [traced_peak(measuring.layer_run(one, task)) for one in layers]
        return [peak - task.xs.nbytes for peak in peaks]  # both caches keep a copy of the inputs

    (whole, few), (whole_4, few_4) = row(400), row(1600)
    assert few < whole / 2 and 3.5 < whole_4 / whole < 4.2 and few_4 / few < 2.2


def test_a_row_of_the_times_is_measured_in_a_process(tmp_path):
    options = {
        "threads": 1,
        "quick": True,
        "cells": ["LSTM"],
        "dtypes": ["float32"],
        "shapes": [SHAPE],
    }
    rows = [
        row for slow in (False, True) for row in speed.rows_of("times", options | {"slow": slow})
    ]
    expected = [
        name
        for name in (COMPILED, PYTORCH, PRODUCTS, UNROLL, PLAIN, EPYNN, NUMPY_ML)
        if installed(name)
    ]
    assert [row["program"] for row in rows] == expected
    for row in rows:
        assert row["ms"] > 0 and row["ours_ms"] > 0 and row["rounds"] >= 2
        assert {name: row[name] for name in "BTDH"} == at_shape(SHAPE)
    write_table(tmp_path / "speed.csv", rows, 1)
    write_table(tmp_path / "speed.csv", rows[:1], 2)
    write_table(tmp_path / "speed.csv", rows, 1)  # the same run again replaces its rows
    assert read_table(tmp_path / "speed.csv") == [{"run": 1} | row for row in rows] + [
        {"run": 2} | rows[0]
    ]


def test_a_process_that_fails_is_told_of():
    with pytest.raises(RuntimeError, match="times: its process ended with status 1"):
        list(speed.rows_of("times", {"threads": 1}))


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="Linux only")
def test_the_memory_of_a_larger_problem_is_larger():
    peaks = []
    for T in (100, 400):
        (row,) = speed.rows_of(
            "memory",
            {"cell": "LSTM", "dtype": "float32", "shape": [32, T, 32, 64], "program": OURS},
        )
        peaks.append(row["peak_kB"])
        assert row["bytes_per_TBH"] == pytest.approx(1024 * row["peak_kB"] / (T * 32 * 64), abs=0.1)
        assert row["bytes_per_TBH"] > 4 * (4 + 1 + 2 + 1 + 4)  # gates, tanh_c, h and c, hs; da
    assert 3 < peaks[1] / peaks[0] < 5


def test_the_stored_tables_have_every_row(stored):
    runs = {row["run"] for row in stored["speed"]}
    assert runs and all({row["run"] for row in stored[name]} == runs for name in TABLES)
    for run, cell, shape, dtype in product(runs, CELLS, SHAPES, DTYPES):
        rows = pick(stored["speed"], run=run, threads=1, cell=cell, dtype=dtype, **at_shape(shape))
        programs_there = [row["program"] for row in rows]
        assert len(set(programs_there)) == len(programs_there)
        wanted = {PYTORCH, PRODUCTS, UNROLL, PLAIN, EPYNN, NUMPY_ML} - (
            {NUMPY_ML} if cell == "GRU" else set()
        )
        wanted |= {COMPILED} if (cell, dtype) == ("LSTM", "float32") else set()
        assert set(programs_there) == wanted, (run, cell, shape, dtype)
        assert pick(
            stored["speed"],
            run=run,
            threads=2,
            cell=cell,
            dtype=dtype,
            program=PYTORCH,
            **at_shape(shape),
        )
    for row in stored["speed"]:
        assert row["ms"] > 0 and row["ours_ms"] > 0 and row["rounds"] >= 3
    for name in TABLES:
        with open(RESULTS / f"{name}.csv", newline="", encoding="utf-8") as file:
            assert all(None not in row and None not in row.values() for row in csv.DictReader(file))


def test_the_page_shows_what_is_stored(stored):
    page = speed.README.read_text(encoding="utf-8")
    assert filled(page, blocks(stored)) == page
    numbers = {line.split("|")[3].strip() for line in blocks(stored)["speed"].splitlines()[2:]}
    assert numbers == set(DTYPES)
    assert speed.FIGURE.stat().st_size > 10_000


def test_a_number_that_was_typed_is_found_out(stored):
    page = speed.README.read_text(encoding="utf-8")
    row = next(
        line for line in page.splitlines() if line.startswith("| LSTM | 1, 50, 32, 64 | float32 |")
    )
    typed = page.replace(
        row, re.sub(r"\d(?=[^\d]*$)", lambda digit: str((int(digit[0]) + 1) % 10), row)
    )
    assert typed != page and filled(typed, blocks(stored)) == page


def test_a_page_without_its_marks_is_refused():
    assert (
        filled("a\n<!-- x -->\nold\n<!-- /x -->\nb", {"x": "new"})
        == "a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb"
    )
    with pytest.raises(ValueError, match="expected the marks <!-- y --> and <!-- /y -->"):
        filled("a\n<!-- x -->\nold\n<!-- /x -->\nb", {"y": "new"})


def test_the_figure_shows_the_medians_of_the_stored_runs(stored):
    top, bottom = draw(stored).axes
    for dtype in DTYPES:
        drawn = next(line for line in top.lines if line.get_label() == dtype).get_xdata()
        expected = [
            np.median(ratios(stored, PYTORCH, cell=cell, dtype=dtype, **at_shape(shape)))
            for cell, shape in product(CELLS, SHAPES)
        ]
        np.testing.assert_allclose(drawn, expected)
    points = [line for line in bottom.lines if line.get_label().startswith("B, T, D, H")]
    assert len(points) == len(SHAPES)
    for line, shape in zip(points, SHAPES):
        ours = [
            row["ours_ms"]
            for row in pick(
                stored["speed"],
                threads=1,
                cell="LSTM",
                dtype="float32",
                program=PRODUCTS,
                **at_shape(shape),
            )
        ]
        assert line.get_ydata()[0] == pytest.approx(
            np.median(flops(4, shape) / np.array(ours) / 1e6)
        )


def test_rows_below_one_are_told_as_they_are(stored):
    torch = {
        (cell, shape, dtype): np.median(
            ratios(stored, PYTORCH, cell=cell, dtype=dtype, **at_shape(shape))
        )
        for cell, shape, dtype in product(CELLS, SHAPES, DTYPES)
    }
    told = verdict_lines(stored)
    assert (
        f"geometric mean {np.exp(np.mean(np.log(list(torch.values())))):.2f} over 30 rows" in told
    )
    for (cell, shape, dtype), ratio in torch.items():
        assert (f"{cell} {dtype} {shape} " in told) == (ratio < 1)


def test_the_script_stores_nothing_unless_told(monkeypatch, tmp_path, capsys, stored):
    rows = [
        (name, {k: v for k, v in row.items() if k != "run"})
        for name in TABLES
        for row in stored[name]
        if row["run"] == 1
    ]
    monkeypatch.setattr(speed, "run_all", lambda quick: iter(json.loads(json.dumps(rows))))
    for name in ("RESULTS", "README", "FIGURE"):
        monkeypatch.setattr(speed, name, tmp_path / getattr(speed, name).name)
    monkeypatch.setattr("sys.argv", ["speed.py", "--quick"])
    speed.main()
    assert "geometric mean" in capsys.readouterr().out and not list(tmp_path.iterdir())
    speed.RESULTS.mkdir()
    marks = "".join(f"<!-- {name} -->\n\n<!-- /{name} -->\n" for name in blocks(stored))
    speed.README.write_text(marks, encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["speed.py", "--write", "--run", "4"])
    speed.main()
    assert {row["run"] for row in read_table(speed.RESULTS / "speed.csv")} == {4}
    assert "geometric mean" in speed.README.read_text(encoding="utf-8") and speed.FIGURE.exists()


def test_a_quick_run_is_not_stored(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["speed.py", "--quick", "--write"])
    with pytest.raises(SystemExit):
        speed.main()
    assert "a quick run has not all rows" in capsys.readouterr().err
