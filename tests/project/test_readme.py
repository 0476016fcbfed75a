"""The examples of the README run, and the numbers in its text are those of the stored benchmark."""

import re
import textwrap

import numpy as np
from chapter_files import ROOT

from benchmarks.speed.implementations import PYTORCH
from benchmarks.speed.measuring import PRODUCTS
from benchmarks.speed.tables import ratios
from rnn_tutorial.data import read_table, stored_result

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_runs_as_it_is():
    examples = re.findall(r"^ *```python\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)
    assert len(examples) == 1
    names = {}
    exec(textwrap.dedent(examples[0]), names)
    assert names["ys"].shape == (10, 4, 2) and names["dxs"].shape == (10, 4, 3)


def test_every_chapter_is_in_the_table():
    listed = re.findall(r"^\| (\d\d) \| \[.*?\]\(chapters/(.*?\.ipynb)\)", README, re.MULTILINE)
    names = [path.name for path in sorted((ROOT / "chapters").glob("*.ipynb"))]
    assert [name for _, name in listed] == names and "Twenty-three notebooks" in README
    assert [number for number, _ in listed] == [name[:2] for name in names] and len(names) == 23


def test_the_speed_is_that_of_the_stored_runs():
    tables = {"speed": read_table(stored_result("speed.csv"))}
    places = {
        tuple(row[name] for name in ("cell", "dtype", "B", "T", "D", "H"))
        for row in tables["speed"]
        if row["program"] == PRODUCTS and row["threads"] == 1
    }
    medians = [
        np.median(ratios(tables, PYTORCH, **dict(zip(("cell", "dtype", *"BTDH"), place))))
        for place in places
    ]
    mean = np.exp(np.mean(np.log(medians)))
    text = " ".join(README.split())
    assert f"PyTorch took {mean:.1f} times as long as our fast code (geometric mean of " in text
    assert f"(geometric mean of {len(places)} rows)" in text
    below = {3: "three"}[sum(median < 1 for median in medians)]
    assert f"It was faster than ours in {below} of the rows." in text
