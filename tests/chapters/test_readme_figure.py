"""The picture of the README says what is true today."""

from tools.readme_figure import NAMES, ROOT, draw, measure


def test_gradients_as_derived_are_right_and_spoilt_ones_are_not():
    errors = measure()
    right = errors.pop("as derived")
    assert len(right) == len(NAMES) and max(right) < 1e-13
    assert len(errors) == 3 and min(min(wrong) for wrong in errors.values()) > 0.1


def test_the_picture_can_be_drawn_again():
    _, bottom = draw().axes
    assert [tick.get_text() for tick in bottom.get_yticklabels()] == NAMES
    assert (ROOT / "figures" / "readme.png").stat().st_size > 10_000
