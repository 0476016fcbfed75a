"""What benchmarks/README.md shows of the stored tables, as Markdown."""

from itertools import product

import numpy as np

from benchmarks.speed.implementations import (
    CELLS,
    COMPILED,
    EPYNN,
    NUMPY_ML,
    OURS,
    PLAIN,
    PYTORCH,
    UNROLL,
)
from benchmarks.speed.measuring import DTYPES, PRODUCTS, SHAPES
from benchmarks.speed.tables import (
    Tables,
    at_shape,
    median,
    median_and_range,
    pick,
    rates,
    ratios,
)

OTHERS = PYTORCH, COMPILED, UNROLL, PLAIN, EPYNN, NUMPY_ML


def markdown(lines: list[list[str]]) -> str:
    """Return a table of Markdown from rows of texts, the second of them the rule."""
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def speed_table(tables: Tables) -> str:
    """Return the table of times: a row for each cell, shape and dtype."""
    head = [
        "cell",
        "B, T, D, H",
        "dtype",
        "ours, ms",
        *OTHERS,
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
        others = [median_and_range(ratios(tables, PYTORCH, **where))]
        others += [median(ratios(tables, program, **where)) for program in (*OTHERS[1:], PRODUCTS)]
        share = median([100 * share for _, share in rates(tables, cell, dtype, shape)], ".0f")
        two = median_and_range(ratios(tables, PYTORCH, threads=2, **where))
        lines.append([cell, ", ".join(map(str, shape)), dtype, median(own), *others, share, two])
    return markdown(lines)


def verdict_lines(tables: Tables) -> str:
    """Return the sentences that sum up the table of times, one thread.

    They are computed from the table, whether they speak for us or not.
    """
    lines = _pytorch_lines(tables) + _compiled_lines(tables)
    for dtype in DTYPES:
        epynn = {cell: ratios(tables, EPYNN, cell=cell, dtype=dtype) for cell in CELLS}
        spans = [
            f"{cell} {min(values):.1f} to {max(values):.1f}"
            for cell, values in epynn.items()
            if values
        ]
        if spans:
            lines.append(f"- EpyNN / ours, {dtype}: {', '.join(spans)}.")
    shares = []
    for cell in CELLS:
        found = [100 * share for _, share in rates(tables, cell, "float32", SHAPES[-1])]
        shares.append(f"{cell} {median(found, '.0f')} %")
    lines.append(f"- Of the best large product, at H = 512 in float32: {', '.join(shares)}.")
    return "\n".join(lines)


def _pytorch_lines(tables: Tables) -> list[str]:
    """Return the two sentences about PyTorch, or none if no run measured it."""
    found = {
        (cell, shape, dtype): ratios(tables, PYTORCH, cell=cell, dtype=dtype, **at_shape(shape))
        for cell, shape, dtype in product(CELLS, SHAPES, DTYPES)
    }
    middle = {place: float(np.median(values)) for place, values in found.items() if values}
    if not middle:
        return []
    below = [
        f"{cell} {dtype} {shape} {ratio:.2f}"
        for (cell, shape, dtype), ratio in middle.items()
        if ratio < 1
    ]
    mean = np.exp(np.mean(np.log(list(middle.values()))))
    return [
        f"- PyTorch / ours: geometric mean {mean:.2f} over {len(middle)} rows.",
        f"- Rows below 1.0: {'; '.join(below) if below else 'none'}.",
    ]


def _compiled_lines(tables: Tables) -> list[str]:
    """Return the sentence about the compiled kernel, or none if no run measured it."""
    found = []
    for shape in SHAPES:
        where = {"cell": "LSTM", "dtype": "float32", **at_shape(shape)}
        theirs, own = (ratios(tables, program, **where) for program in (PYTORCH, COMPILED))
        found += [f"{shape} {median([t / o for t, o in zip(theirs, own)])}"] if own else []
    return [f"- PyTorch / ours with the compiled kernel, LSTM float32: {'; '.join(found)}."] * bool(
        found
    )


def memory_table(tables: Tables) -> str:
    """Return the table of peak memory: bytes per T * B * H in float32."""
    programs = [
        program for program in (OURS, *OTHERS) if pick(tables["speed_memory"], program=program)
    ]
    lines = [["cell", "B, T, D, H", *programs], ["---"] * 2 + ["---:"] * len(programs)]
    for cell, shape in product(CELLS, SHAPES):
        rows = pick(tables["speed_memory"], cell=cell, **at_shape(shape))
        found = [
            median([row["bytes_per_TBH"] for row in pick(rows, program=program)], ".0f")
            for program in programs
        ]
        if rows:
            lines.append([cell, ", ".join(map(str, shape)), *found])
    return markdown(lines)


def growth_table(tables: Tables) -> str:
    """Return the table of growth: milliseconds, and microseconds per step and sequence."""
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
        each = [median([1e3 * ms / (T * B) for ms in times[program]], ".3f") for program in times]
        lines.append([f"T = {T}, B = {B}", *(median(values) for values in times.values()), *each])
    return markdown(lines)


def recompute_table(tables: Tables) -> str:
    """Return the table of gradient checkpointing: the ratio of the times, and the memory."""
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
        sizes = [median(values, ".0f") for values in (whole, recomputed, root, outputs)]
        lines.append([cell, ", ".join(map(str, shape)), median_and_range(ratio), *sizes])
    return markdown(lines)


def machine_lines(tables: Tables) -> str:
    """Return the list of the machine: the facts of the first run, and the rates of all runs."""
    first = tables["speed_machine"][0]["run"]
    facts = {
        row["fact"]: row["value"] for row in pick(tables["speed_machine"], threads=1, run=first)
    }
    lines = [f"- {name}: {value}" for name, value in facts.items() if "/s" not in name]
    for threads, fact in product((1, 2), (name for name in facts if "/s" in name)):
        values = [row["value"] for row in pick(tables["speed_machine"], threads=threads, fact=fact)]
        if values:
            unit = "threads" if threads > 1 else "thread"
            lines.append(f"- {fact}, {threads} {unit}: {median_and_range(values, '.0f')}")
    return "\n".join(lines)


def figure_line(tables: Tables) -> str:
    """Return the line that shows the figure."""
    above = (
        "Above, for each cell and size, the time of PyTorch over ours in float32 and float64, "
        "with a line at 1."
    )
    below = (
        "Below, the rate of our LSTM in float32 at each size, under the roofline of the machine."
    )
    return f"![{above} {below}](../figures/speed.png)"


def blocks(tables: Tables) -> dict[str, str]:
    """Return {name: text} of everything that the page shows of the stored tables."""
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


def filled(text: str, texts: dict[str, str]) -> str:
    """Return a page with each text between its marks, <!-- name --> and <!-- /name -->.

    Raises: ValueError unless each mark is there exactly once.
    """
    for name, block in texts.items():
        start, end = f"<!-- {name} -->\n", f"\n<!-- /{name} -->"
        if text.count(start) != 1 or text.count(end) != 1:
            raise ValueError(
                f"README.md: expected the marks {start.strip()} and {end.strip()} once each"
            )
        before, rest = text.split(start)
        text = before + start + "\n" + block + "\n" + end + rest.split(end)[1]
    return text
