"""Backpropagation through time: every number of the figure is the package's."""

import numpy as np
import pytest

from rnn_tutorial import explore
from rnn_tutorial.cells import Elman
from rnn_tutorial.explore.through_time import path_products, small_network
from rnn_tutorial.gradient_check import numerical_gradient
from rnn_tutorial.sequence import unroll, unroll_backward

NETWORK = small_network()
GRADIENTS = {"dW_h": None, "dW_x": None, "db": None, "dx": (1, 2, 3, 4), "dh": (0, 1, 2, 3, 4)}


def right_numbers() -> dict[str, np.ndarray]:
    """Return the states and all gradients from the package, by the names of the figure."""
    params, xs, first_state, dhs, dlast = NETWORK
    (hs, _), cache = unroll(Elman, params, xs, first_state)
    dparams, dxs, dfirst = unroll_backward(Elman, params, cache, (dhs, dlast))
    nudges = np.zeros((4, 1, 1))

    def loss(nudges):
        total, h = 0.0, first_state.h
        for x, dh, nudge in zip(xs, dhs, nudges):
            h = np.tanh(x @ params.W_x + h @ params.W_h + params.b) + nudge
            total = total + np.sum(dh * h)
        return total

    dh = numerical_gradient(loss, nudges)
    return {
        "h": np.append(first_state.h, hs),
        "dW_h": dparams.W_h.item(),
        "dW_x": dparams.W_x.item(),
        "db": dparams.b.item(),
        "dx": np.append(0, dxs),
        "dh": np.append(dfirst.h, dh),
    }


def test_states_and_gradients_are_those_of_the_package(open_figure):
    values = open_figure(explore.through_time()).values()
    for name, right in right_numbers().items():
        shown = [0, *values[name][1:]] if name == "dx" else values[name]
        np.testing.assert_allclose(shown, right, rtol=1e-12, atol=1e-15, err_msg=name)


def test_the_paths_of_each_gradient_sum_up_to_it(open_figure):
    figure = open_figure(explore.through_time())
    figure.root.get_by_role("slider").press("End")
    right = right_numbers()
    for name, steps in GRADIENTS.items():
        figure.root.locator(f"input[value={name}]").check(force=True)
        for t in steps or [None]:
            if t is not None:
                figure.root.locator(f"input[value='{t}']").check(force=True)
            values = figure.values()
            expected = right[name] if t is None else right[name][t]
            assert values["sum"] == pytest.approx(expected, rel=1e-12)
            assert len(values["paths"]) == (10 if t is None else 4 if t == 0 else 5 - t)
            total = figure.root.locator(".ex-total td").inner_text().replace("−", "-")
            assert float(total) == pytest.approx(expected, abs=5.1e-4)


def test_the_table_of_W_h_is_that_of_the_still_picture(open_figure):
    values = open_figure(explore.through_time()).values()
    products = path_products(NETWORK)
    for path in values["paths"]:
        right = products[path["s"] - 1, path["k"] - 1]
        assert path["value"] == pytest.approx(right, rel=1e-12)
    assert products.sum() == pytest.approx(right_numbers()["dW_h"], rel=1e-12)


def test_the_keyboard_walks_back_and_the_sum_grows_with_each_step(open_figure):
    figure = open_figure(explore.through_time())
    walk = figure.root.get_by_role("slider")
    assert figure.values()["position"] == 0 and figure.values()["lit"] == []
    assert figure.values()["pick"] == "dW_h"  # of which the chapter asks
    walk.focus()
    products, seen = path_products(NETWORK), []
    for _ in range(9):
        walk.press("ArrowRight")
        total = figure.root.locator(".ex-total td").inner_text().replace("−", "-")
        seen.append(float(total))
    rows = products.sum(axis=1)[::-1]
    np.testing.assert_allclose(seen, [0] * 4 + [*np.cumsum(rows), rows.sum()], atol=5.1e-4)
    assert figure.root.get_by_role("button", name="on").get_attribute("aria-disabled") == "true"
    assert "every path is counted" in figure.said()


def test_a_picked_path_lights_its_edges_and_shows_its_factors(open_figure):
    figure = open_figure(explore.through_time())
    figure.root.get_by_role("slider").press("End")
    figure.root.get_by_role("button", name="use 2, loss 3").click()
    values = figure.values()
    assert values["lit"] == ["loss3", "tanh3", "link3", "tanh2", "W_h2"]
    factors = [factor[2] for factor in values["path"]["factors"]]
    assert np.prod(factors) == pytest.approx(path_products(NETWORK)[1, 2], rel=1e-12)
    assert figure.root.locator(".ex-edge.ex-lit").count() == 4
    assert figure.root.locator("[aria-pressed=true]").count() == 1
    assert figure.violations() == []
    figure.root.get_by_role("button", name="use 2, loss 3").press("Enter")
    assert figure.values()["path"] is None
