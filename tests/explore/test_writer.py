"""The network writes: the page computes and draws what the package does."""

from itertools import islice

import numpy as np
import pytest

from rnn_tutorial import explore
from rnn_tutorial.cells import LSTM
from rnn_tutorial.explore.writer import stored_writer
from rnn_tutorial.sequence import trace
from rnn_tutorial.train import softmax

TEXT = "The LORD said (Selah), Who is\u00e9?"  # é is not in the books


@pytest.fixture(scope="module")
def network():
    return stored_writer()


@pytest.fixture
def figure(open_figure):
    return open_figure(explore.writer())


def press(figure, label, *keys):
    """Press keys on the slider with exactly this label."""
    for key in keys:
        figure.root.get_by_label(label, exact=True).press(key)


def begin(figure, text):
    figure.root.get_by_label("beginning", exact=True).fill(text)


def one_letter(figure, count=1):
    button = figure.root.get_by_role("button", name="One letter")
    for _ in range(count):
        button.click()


def logits_of(network, text):
    """Return the package's logits (T, V) for a text."""
    symbols = network.vocabulary.encode(text)[:, None]
    return network.model.forward(network.params, symbols)[0][:, 0]


def uniform(seed):
    """Yield the numbers of mulberry32, as its author defines it, in whole numbers of 32 bits."""
    a, full = seed, 2**32
    while True:
        a = (a + 0x6D2B79F5) % full
        t = (a ^ (a >> 15)) * (1 | a) % full
        t = ((t + (t ^ (t >> 7)) * (61 | t)) ^ t) % full
        yield (t ^ (t >> 14)) / full


def test_the_logits_of_a_typed_text_are_those_of_the_package(figure, network):
    begin(figure, TEXT)
    values, known = figure.values(), TEXT.replace("\u00e9", "")
    assert values["text"] == known and values["at"] == len(known) - 1
    expected = logits_of(network, known)
    np.testing.assert_allclose(values["logits"], expected[-1], atol=1e-6)
    assert "\u00e9" in figure.said()
    press(figure, "letter", "Home", "ArrowRight", "ArrowRight")
    values = figure.values()
    assert values["at"] == 2
    np.testing.assert_allclose(values["logits"], expected[2], atol=1e-6)
    probabilities = softmax(expected[2:3], values["temperature"])[0]
    np.testing.assert_allclose(values["probabilities"], probabilities, atol=1e-6)


def test_every_gate_and_cell_is_that_of_the_package(figure, network):
    begin(figure, "And he")
    embedding, lstm, _ = network.params
    symbols = network.vocabulary.encode("And he")[:, None]
    traced, _ = trace(LSTM, lstm, embedding.E[symbols], LSTM.initial_state(lstm, 1))
    gates = {name: getattr(traced.values, name) for name in "ifog"}
    for name, expected in (gates | traced.states._asdict()).items():
        np.testing.assert_allclose(figure.values()["units"][name], expected[-1, 0], atol=1e-6)


def test_each_letter_is_drawn_by_the_next_random_number(figure, network):
    figure.slide("temperature", 1.4)
    figure.slide("seed", 7)
    text = figure.values()["text"]
    one_letter(figure, 6)
    for u in islice(uniform(7), 6):
        ends = np.cumsum(softmax(logits_of(network, text)[-1:], 1.4)[0])  # (5.19)
        text += network.vocabulary.symbols[np.sum(ends <= u * ends[-1])]
    assert figure.values()["text"] == text
    figure.root.get_by_role("button", name="Start again").click()
    one_letter(figure, 6)
    assert figure.values()["text"] == text  # the same seed, the same text


def test_it_goes_on_until_it_is_stopped(figure):
    begin(figure, "In the")
    start = len("In the")
    figure.root.get_by_role("button", name="Go on").click()
    figure.page.wait_for_function(
        "n => document.querySelector('.ex').explorable.values().text.length > n", arg=start + 3
    )
    assert figure.values()["writing"]
    figure.root.get_by_role("button", name="Stop").click()
    stopped = figure.values()
    figure.page.wait_for_timeout(250)
    assert not stopped["writing"] and figure.values()["text"] == stopped["text"]


def test_with_reduced_motion_it_writes_at_once(figure):
    figure.page.emulate_media(reduced_motion="reduce")
    start = len(figure.values()["text"])
    figure.root.get_by_role("button", name="Go on").press("Enter")
    values = figure.values()
    assert len(values["text"]) == start + 40 and not values["writing"]


def test_a_unit_a_letter_and_a_gate_are_chosen_by_pointer_and_by_keys(figure):
    figure.root.locator("[data-unit='30'] .ex-ring").click()
    press(figure, "unit", "ArrowRight")
    figure.root.locator("[data-step='4']").click()
    figure.root.get_by_role("radio", name="forget gate").check(force=True)
    values = figure.values()
    assert (values["unit"], values["at"], values["quantity"]) == (31, 4, "f")
    f = values["units"]["f"][31]
    fill = figure.root.locator("[data-step='4']").evaluate(
        "letter => letter.style.getPropertyValue('--ex-fill')"
    )
    assert float(fill.rstrip("%")) == pytest.approx(100 * f, abs=0.051)
    assert f"{f:.2f}" in figure.said()


def test_a_letter_is_filled_by_the_share_of_the_largest_cell(figure, network):
    text = "And h"
    begin(figure, text)
    embedding, lstm, _ = network.params
    symbols = network.vocabulary.encode(text)[:, None]
    traced, _ = trace(LSTM, lstm, embedding.E[symbols], LSTM.initial_state(lstm, 1))
    cells = abs(traced.states.c[:, 0])
    largest = cells.max(axis=0)
    for unit in (largest.argmax(), largest.argmin()):
        figure.root.locator(f"[data-unit='{unit}'] .ex-ring").click()
        fills = figure.root.locator("[data-step]").evaluate_all(
            "letters => letters.map((one) => parseFloat(one.style.getPropertyValue('--ex-fill')))"
        )
        full = max(1, largest[unit])  # of a unit with a small cell, no letter is full
        np.testing.assert_allclose(fills, 100 * cells[:, unit] / full, atol=0.051)
    assert largest.min() < 0.9 and largest.max() > 1.5


def test_the_letter_that_came_is_marked_among_the_likeliest(figure):
    begin(figure, "And he said unto them")
    press(figure, "letter", "Home", "ArrowRight")
    (came,) = figure.root.locator(".ex-came").all_text_contents()
    assert came.startswith("d") and came.endswith("it came")


def test_a_full_page_says_so_and_writes_no_more(figure):
    figure.page.emulate_media(reduced_motion="reduce")
    for _ in range(5):
        figure.root.get_by_role("button", name="Go on").press("Enter")
    assert len(figure.values()["text"]) == 360
    assert "no room for more letters" in figure.said()
    figure.root.get_by_role("button", name="One letter").press("Enter")
    assert len(figure.values()["text"]) == 360


def test_without_a_beginning_it_starts_from_a_line_end(figure):
    begin(figure, "")
    assert figure.values()["text"] == "\n"
