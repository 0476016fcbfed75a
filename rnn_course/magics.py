"""What runs in Jupyter is not all Python: `%time x = 1`, `np.tanh?`, `files = !ls`.

The text of a cell is turned into Python by IPython's own transformer; the lines keep their numbers.
It only reads text: nothing of the cell is run, and nothing is compiled. The text may be hostile.
"""

import ast
import re
from collections.abc import Iterable

__all__ = ["to_python"]

# To transform a cell costs the number of its lines that look like magics, times its length. Cells
# beyond this total stay as they are.
COST_LIMIT = 1_000_000
SIZE_LIMIT = 200_000  # a longer cell is looked at only if it has such a line
MAGIC = re.compile(r"^\s*[%!?,;/]|=\s*[%!]|\?\s*$|^\s*(>>>|In \[)", re.MULTILINE)
CELL_MAGIC = re.compile(r"\s*%%(\w+).*")
RUNNING = ("time", "capture", "prun")  # magics that run the code behind them
STRING = r"""('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")"""
LINE = re.compile(
    rf"^([ \t]*)get_ipython\(\)\.run_line_magic\('({'|'.join(RUNNING)})', {STRING}\)[ \t]*$",
    re.MULTILINE,
)


def to_python(sources: Iterable[str]) -> list[str]:
    """Return the sources of cells as Python, each with as many lines.

    Code behind %time, %%time, %%capture and %prun is there as code, and all other magics do
    nothing. A source that is already Python comes back as it is.

    Example:
    >>> to_python(["%time x = 1"])
    ['x = 1']
    """
    texts, left = [], COST_LIMIT
    for source in map(without_cell_magic, sources):
        cost = cost_of(source)
        texts.append(one_to_python(source) if 0 < cost <= left else source)
        left -= cost if cost <= left else 0
    return texts


def without_cell_magic(source: str) -> str:
    """Return the source without `%%time` in its first line; without all if %% does not run it."""
    lines = source.split("\n")
    first = next((k for k, line in enumerate(lines) if line.strip()), 0)
    if not (found := CELL_MAGIC.match(lines[first])):
        return source
    rest = lines[first + 1 :] if found[1] in RUNNING else [""] * (len(lines) - first - 1)
    return "\n".join([*[""] * (first + 1), *rest])


def cost_of(source: str) -> int:
    """Return what it costs to transform a cell, 0 if there is nothing to transform."""
    magics = len(MAGIC.findall(source))
    indented = re.match(r"\n*[ \t]", source) and len(source) <= SIZE_LIMIT
    return (magics + 1) * len(source) if magics or indented else 0


def one_to_python(source: str) -> str:
    """Return the source of one cell as Python."""
    return LINE.sub(lambda match: match[1] + ast.literal_eval(match[3]), transformed(source))


def transformed(source: str) -> str:
    """Return what IPython makes of the text of a cell; the text itself if IPython fails."""
    from IPython.core.inputtransformer2 import TransformerManager, leading_empty_lines

    manager = TransformerManager()
    manager.cleanup_transforms.remove(leading_empty_lines)  # the lines keep their numbers
    try:
        text: str = manager.transform_cell(source)
    except Exception:  # SyntaxError, RecursionError, RuntimeError after 500 rounds
        return source
    return text if source.endswith("\n") else text.removesuffix("\n")
