"""The plot of random draws shows which entries are zero."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from rnn_tutorial import plotting


@pytest.fixture(autouse=True)
def _no_figure_is_left_open():
    yield
    plt.close("all")


def test_each_kind_of_noise_has_a_block_that_is_white_where_the_factor_is_zero():
    rng = np.random.default_rng(0)
    draws = {name: 1.25 * (rng.random((7, 4)) > 0.4) for name in ("dropout", "zoneout")}
    ax = plotting.plot_draws(draws)
    assert len(ax.collections) == 2
    for mesh, factors in zip(ax.collections, draws.values(), strict=True):
        colours = mesh.to_rgba(mesh.get_array()).reshape(4, 7, 4)
        white = (colours[..., :3] == 1).all(axis=-1)
        np.testing.assert_array_equal(white, factors.T == 0)
        assert mesh.get_coordinates()[0, :, 0].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]
    one, other = (mesh.get_coordinates()[:, 0, 1] for mesh in ax.collections)
    assert one[-1] < other[0] and ax.yaxis_inverted()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["dropout", "zoneout"]


def test_it_draws_into_the_axes_that_it_is_given():
    ax = plt.figure().add_subplot()
    assert plotting.plot_draws({"a": np.eye(3)}, ax=ax) is ax


@pytest.mark.parametrize(
    ("draws", "error", "message"),
    [
        ([np.eye(3)], TypeError, "expected a dict"),
        ({}, ValueError, "draws: expected at least one entry, got none"),
        ({"a": np.ones(3)}, ValueError, r"a: expected factors of shape \(T, H\), got \(3,\)"),
        ({"a": np.eye(3), "b": np.ones((3, 2))}, ValueError, r"b: expected shape \(3, 3\)"),
    ],
)
def test_what_cannot_be_drawn_is_refused(draws, error, message):
    with pytest.raises(error, match=message):
        plotting.plot_draws(draws)
