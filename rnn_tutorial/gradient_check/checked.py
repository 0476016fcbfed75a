"""What a check says when all holds: one line, which a notebook shows and a program ignores."""

from rnn_tutorial.tree import tree_leaves
from rnn_tutorial.types import Tree

__all__ = ["Checked", "checked"]


class Checked(str):
    """A line that says what was checked. A notebook shows it as it is, without quotes."""

    def __repr__(self) -> str:
        return str(self)


def checked(
    name: str, params: Tree, others: list[str], runs: str, rtol: float, kept: str = ""
) -> Checked:
    """Return the line for `name`: its parameters and the others were checked, in these runs.

    Example: LSTM: 3 parameters, inputs and first state, over 6 steps, whole and ragged: right to
    1e-12 ✓
    """
    count = len(tree_leaves(params))
    judged = [f"{count} parameter{'s' if count > 1 else ''}"] if count else []
    judged += others
    what = " and ".join(filter(None, [", ".join(judged[:-1]), *judged[-1:]]))
    verdict = ", ".join(filter(None, [f"right to {rtol:.0e}", kept]))
    return Checked(f"{name}: {what or 'no gradient'}, {runs}: {verdict} ✓")
