"""How fast: forward and backward of LSTM, GRU and RNN beside PyTorch, EpyNN, numpy-ml, a plain loop and the bare matrix products.

    make bench                                    prints the tables, some eight minutes
    make bench BENCH=--quick                      within a minute; fewer rounds, and less of what is large
    make bench BENCH="--write --run 2"            stores them as run 2, then fills in README.md and draws figures/speed.png

One thread is measured by the time of the process, two by the clock on the wall; each count has its own process. What is compared
is called in turn, and a number is the median of its calls. Ratios are their time / ours: below 1.0 the other is faster. Nothing
is timed before it has been checked that it computes the same (`rivals.py`); `measuring.py` is what runs in the processes.
"""

import argparse
import csv
import json
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.counting import bytes_moved, flops
from benchmarks.measuring import DTYPES, PRODUCTS, SHAPES, clean_environment
from benchmarks.rivals import CELLS, EPYNN, NUMPY_ML, OURS, PLAIN, PYTORCH, UNROLL, installed

ROOT = Path(__file__).resolve().parents[1]
RESULTS, README, FIGURE = (
    ROOT / "benchmarks" / "results",
    ROOT / "benchmarks" / "README.md",
    ROOT / "figures" / "speed.png",
)
TABLES = "speed", "speed_machine", "speed_memory", "speed_growth", "speed_recompute"
RIVALS = PYTORCH, UNROLL, PLAIN, EPYNN, NUMPY_ML


def rows_of(task, options, threads=1):
    """Yield the rows, dicts, that one task of `measuring.py` prints in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.measuring", task, json.dumps(options)]
    with subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(threads), stdout=subprocess.PIPE, text=True
    ) as process:
        yield from map(json.loads, process.stdout)
    if process.returncode:
        raise RuntimeError(f"{task}: its process ended with status {process.returncode}")


def run_all(quick):
    """Yield (table, row) of everything there is to measure."""
    for threads in (1, 2):
        yield from (
            ("speed_machine", row) for row in rows_of("machine", {"threads": threads}, threads)
        )
    yield from (("speed", row) for row in rows_of("times", {"threads": 1, "quick": quick}))
    yield from (
        ("speed", row) for row in rows_of("times", {"threads": 1, "quick": quick, "slow": True})
    )
    some = {"cells": ["LSTM"], "shapes": SHAPES[:3]} if quick else {}
    yield from (
        ("speed", row) for row in rows_of("times", {"threads": 2, "quick": quick} | some, 2)
    )
    for cell, shape, program in product(CELLS, SHAPES, (OURS, *RIVALS)):
        wanted = program in (OURS, PYTORCH) or cell == "LSTM"
        if installed(program) and wanted and not (quick and (cell, shape) != ("LSTM", SHAPES[2])):
            rows = rows_of(
                "memory", {"cell": cell, "dtype": "float32", "shape": shape, "program": program}
            )
            yield from (("speed_memory", row) for row in rows)
    yield from (("speed_growth", row) for row in rows_of("growth", {"quick": quick}))
    yield from (("speed_recompute", row) for row in rows_of("recompute", {"quick": quick}))


def read_table(path):
    """Return the rows, dicts, of a stored table; what looks like a number is one."""
    with open(path, newline="", encoding="utf-8") as file:
        return [{name: _number(text) for name, text in row.items()} for row in csv.DictReader(file)]


def _number(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def write_table(path, rows, run):
    """Write the rows as run number `run`; those of other runs that are stored stay."""
    others = [row for row in read_table(path) if row["run"] != run] if path.exists() else []
    rows = sorted(others + [{"run": run} | row for row in rows], key=lambda row: row["run"])
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def pick(rows, **wanted):
    """Return the rows in which these fields have these values."""
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def at_shape(shape):
    """Return a shape as fields of a row."""
    return dict(zip("BTDH", shape))


def ratios(tables, program, threads=1, **where):
    """Return the ratios, their time / ours, of the rows of one program, one for each run."""
    return [
        row["ms"] / row["ours_ms"]
        for row in pick(tables["speed"], program=program, threads=threads, **where)
    ]


def median(values, digits=".2f"):
    """Return the median as text, and between which two the values lie if there are several; – if there is none."""
    if not values:
        return "–"
    several = f" ({min(values):{digits}}–{max(values):{digits}})" if len(values) > 1 else ""
    return f"{np.median(values):{digits}}{several}"


def rates(tables, cell, dtype, shape):
    """Return (GFLOP/s of ours, share of the best large product) of each run, one thread."""
    amount, found = flops(len(CELLS[cell].gates), shape), []
    for row in pick(
        tables["speed"], threads=1, cell=cell, dtype=dtype, program=PRODUCTS, **at_shape(shape)
    ):
        (best,) = pick(tables["speed_machine"], threads=1, fact=f"GFLOP/s {dtype}", run=row["run"])
        rate = amount / row["ours_ms"] / 1e6
        found.append((rate, rate / best["value"]))
    return found


def speed_table(tables):
    """Return the lines of the table of times: a row for each cell, shape and dtype."""
    head = [
        "cell",
        "B, T, D, H",
        "dtype",
        "ours, ms",
        *RIVALS,
        PRODUCTS,
        "% of best product",
        "PyTorch, two threads",
    ]
    lines = [head, ["---"] * 3 + ["---:"] * (len(head) - 3)]
    for cell, shape, dtype in product(CELLS, SHAPES, DTYPES):
        where = {"cell": cell, "dtype": dtype, **at_shape(shape)}
        own = [
            row["ours_ms"] for row in pick(tables["speed"], program=PRODUCTS, threads=1, **where)
        ]
        others = [median(ratios(tables, PYTORCH, **where))]
        others += [_middle(ratios(tables, program, **where)) for program in (*RIVALS[1:], PRODUCTS)]
        share = _middle([100 * share for _, share in rates(tables, cell, dtype, shape)], ".0f")
        two = median(ratios(tables, PYTORCH, threads=2, **where))
        lines.append([cell, ", ".join(map(str, shape)), dtype, _middle(own), *others, share, two])
    return markdown(lines)


def _middle(values, digits=".2f"):
    return f"{np.median(values):{digits}}" if values else "–"


def markdown(lines):
    """Return a table of Markdown from rows of texts, the second of them the rule."""
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def verdict_lines(tables):
    """Return the sentences beside the bars of the benchmark, one thread: counted from the table, whether they are met or not."""
    names = list(product(CELLS, SHAPES, DTYPES))
    torch = {
        key: ratios(tables, PYTORCH, cell=key[0], dtype=key[2], **at_shape(key[1])) for key in names
    }
    torch = {key: float(np.median(values)) for key, values in torch.items() if values}
    lines = []
    if torch:
        below = [
            f"{cell} {dtype} {shape} {torch[cell, shape, dtype]:.2f}"
            for cell, shape, dtype in torch
            if torch[cell, shape, dtype] < 1
        ]
        lines.append(
            f"- PyTorch / ours: geometric mean {np.exp(np.mean(np.log(list(torch.values())))):.2f} over {len(torch)} rows."
        )
        lines.append(f"- Rows below 1.0: {'; '.join(below) if below else 'none'}.")
    for dtype in DTYPES:
        found = {cell: ratios(tables, EPYNN, cell=cell, dtype=dtype) for cell in CELLS}
        spans = [
            f"{cell} {min(values):.1f} to {max(values):.1f}"
            for cell, values in found.items()
            if values
        ]
        if spans:
            lines.append(f"- EpyNN / ours, {dtype}: {', '.join(spans)}.")
    shares = ", ".join(
        f"{cell} {_middle([100 * s for _, s in rates(tables, cell, 'float32', SHAPES[-1])], '.0f')} %"
        for cell in CELLS
    )
    lines.append(f"- Of the best large product, at H = 512 in float32: {shares}.")
    return "\n".join(lines)


def memory_table(tables):
    """Return the lines of the table of peak memory: bytes per T * B * H in float32."""
    programs = [
        program for program in (OURS, *RIVALS) if pick(tables["speed_memory"], program=program)
    ]
    lines = [["cell", "B, T, D, H", *programs], ["---"] * 2 + ["---:"] * len(programs)]
    for cell, shape in product(CELLS, SHAPES):
        rows = pick(tables["speed_memory"], cell=cell, **at_shape(shape))
        found = [
            _middle([row["bytes_per_TBH"] for row in pick(rows, program=program)], ".0f")
            for program in programs
        ]
        if rows:
            lines.append([cell, ", ".join(map(str, shape)), *found])
    return markdown(lines)


def growth_table(tables):
    """Return the lines of the table of growth: milliseconds, and microseconds for each step and for each sequence."""
    lines = [
        ["", "ours, ms", "PyTorch, ms", "ours, µs per step and sequence", "PyTorch"],
        ["---", *["---:"] * 4],
    ]
    sizes = {(row["over"], row["B"], row["T"]): None for row in tables["speed_growth"]}
    for over, B, T in sizes:
        rows = pick(tables["speed_growth"], over=over, B=B, T=T)
        times = {
            program: [row["ms"] for row in pick(rows, program=program)]
            for program in (OURS, PYTORCH)
        }
        each = [_middle([1e3 * ms / (T * B) for ms in times[program]], ".3f") for program in times]
        lines.append([f"T = {T}, B = {B}", *(_middle(values) for values in times.values()), *each])
    return markdown(lines)


def recompute_table(tables):
    """Return the lines of the table of recomputing: the ratio of the times, and the memory of the three ways."""
    head = [
        "cell",
        "B, T, D, H",
        "recomputed / whole, time",
        "whole, kB",
        "recomputed, kB",
        "kB per √T",
        "outputs only, kB",
    ]
    lines = [head, ["---"] * 2 + ["---:"] * 5]
    places = [(row["cell"], *(row[size] for size in "BTDH")) for row in tables["speed_recompute"]]
    for cell, *shape in dict.fromkeys(places):
        rows = pick(tables["speed_recompute"], cell=cell, **at_shape(shape))
        ratio = [row["recomputed_ms"] / row["whole_ms"] for row in rows]
        whole, recomputed, outputs = (
            [row[f"{name}_kB"] for row in rows] for name in ("whole", "recomputed", "outputs")
        )
        root = [kB / shape[1] ** 0.5 for kB in recomputed]
        sizes = [_middle(values, ".0f") for values in (whole, recomputed, root, outputs)]
        lines.append([cell, ", ".join(map(str, shape)), median(ratio), *sizes])
    return markdown(lines)


def machine_lines(tables):
    """Return what was measured on: the facts of the first run, and the rates of all."""
    first = tables["speed_machine"][0]["run"]
    facts = {
        row["fact"]: row["value"] for row in pick(tables["speed_machine"], threads=1, run=first)
    }
    lines = [f"- {name}: {value}" for name, value in facts.items() if "/s" not in name]
    for threads, fact in product((1, 2), (name for name in facts if "/s" in name)):
        values = [row["value"] for row in pick(tables["speed_machine"], threads=threads, fact=fact)]
        if not values:
            continue
        lines.append(
            f"- {fact}, {threads} {'threads' if threads > 1 else 'thread'}: {median(values, '.0f')}"
        )
    return "\n".join(lines)


def figure_line(tables):
    """Return the line that shows the figure."""
    above = "Above, for each cell and size, the time of PyTorch over ours in float32 and float64, with a line at 1."
    below = (
        "Below, the rate of our LSTM in float32 at each size, under the roofline of the machine."
    )
    return f"![{above} {below}](../figures/{FIGURE.name})"


def blocks(tables):
    """Return {name: text} of what README.md shows of the stored tables."""
    makers = {
        "figure": figure_line,
        "speed": speed_table,
        "verdict": verdict_lines,
        "machine": machine_lines,
        "memory": memory_table,
        "growth": growth_table,
        "recompute": recompute_table,
    }
    return {name: make(tables) for name, make in makers.items()}


def filled(text, texts):
    """Return a page with each text between its marks, <!-- name --> and <!-- /name -->. Errors: ValueError for missing marks."""
    for name, block in texts.items():
        start, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise ValueError(
                f"README.md: expected the marks {start.strip()} and {end.strip()} once each"
            )
        before, rest = text.split(start)
        text = before + start + "\n" + block + "\n" + end + rest.split(end)[1]
    return text


def draw(tables):
    """Return the figure: above, the ratios to PyTorch, below, the roofline of the LSTM in float32; medians of the runs."""
    import matplotlib.pyplot as plt

    from rnn_tutorial.plotting import house_style, plot_ratios, plot_roofline

    with house_style():
        figure, (top, bottom) = plt.subplots(2, figsize=(8.5, 11), height_ratios=(6, 4.5))
    table = {}
    for cell, shape, dtype in product(CELLS, SHAPES, DTYPES):
        found = ratios(tables, PYTORCH, cell=cell, dtype=dtype, **at_shape(shape))
        if found:
            table.setdefault(f"{cell}  {', '.join(map(str, shape))}", {})[dtype] = float(
                np.median(found)
            )
    if table:
        plot_ratios(
            table, quantity="time of PyTorch / ours, forward and backward, one thread", ax=top
        )
        top.set_title("Each row: cell, then B, T, D, H")
    lstm, points = CELLS["LSTM"], {}
    for shape in SHAPES:
        intensity = flops(len(lstm.gates), shape) / bytes_moved(lstm, "float32", shape)
        rate = float(np.median([rate for rate, _ in rates(tables, "LSTM", "float32", shape)]))
        points["B, T, D, H = " + ", ".join(map(str, shape))] = (intensity, rate)
    best, memory = (
        float(
            np.median([row["value"] for row in pick(tables["speed_machine"], threads=1, fact=fact)])
        )
        for fact in ("GFLOP/s float32", "GB/s")
    )
    plot_roofline(best, memory, points, ax=bottom)
    bottom.set_title("LSTM, float32, one thread: ours under the roofline")
    return figure


def main():
    """Measure, print, and store if told to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="within a minute")
    parser.add_argument(
        "--write", action="store_true", help="store the tables, fill in README.md, draw the figure"
    )
    parser.add_argument(
        "--run", type=int, default=1, help="the number under which they are stored (default: 1)"
    )
    arguments = parser.parse_args()
    if arguments.quick and arguments.write:
        parser.error("a quick run has not all rows, and is not stored")
    tables = {name: [] for name in TABLES}
    for name in (name for name in RIVALS if not installed(name)):
        print(f"{name} is not installed, and left out")
    for number, (name, row) in enumerate(run_all(arguments.quick), start=1):
        tables[name].append({"run": arguments.run} | row)
        if sys.stderr.isatty():
            print(f"\r{number} measurements", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    print(
        "\n\n".join(
            f"{name}\n{block}" for name, block in blocks(tables).items() if name != "figure"
        )
    )
    if arguments.write:
        for name in TABLES:
            write_table(
                RESULTS / f"{name}.csv",
                [{k: v for k, v in row.items() if k != "run"} for row in tables[name]],
                arguments.run,
            )
        store()


def store():
    """Return nothing; fill in README.md and draw the figure again from the stored tables."""
    tables = {name: read_table(RESULTS / f"{name}.csv") for name in TABLES}
    README.write_text(filled(README.read_text(encoding="utf-8"), blocks(tables)), encoding="utf-8")
    figure = draw(tables)
    figure.savefig(FIGURE, metadata={"Software": None})


if __name__ == "__main__":
    main()
