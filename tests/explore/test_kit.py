"""The parts of kit.js that all figures share: numbers, places, and a stepper at its ends."""

import pytest

from rnn_tutorial.explore.explorable import modules


@pytest.fixture(scope="module")
def run(browser):
    """Return a function that evaluates an expression of kit.js in an empty page."""
    page = browser.new_page()
    yield lambda expression: page.evaluate(
        f"(() => {{ {modules('kit')}; return {expression}; }})()"
    )
    page.close()


@pytest.mark.parametrize(
    "value, digits, text",
    [(1.005, 1, "1.0"), (-0.004, 2, "0.00"), (-0.006, 2, "\u22120.01"), (-3, 0, "\u22123")],
)
def test_a_number_has_its_digits_and_a_true_minus_and_no_minus_zero(run, value, digits, text):
    assert run(f"number({value}, {digits})") == text


def test_a_scale_and_its_inverse(run):
    assert run("scale([-1, 1], [100, 0])(0.5)") == 25
    assert run("scale([-1, 1], [100, 0]).invert(25)") == 0.5
    assert run("[clamp(7, 0, 5), clamp(-7, 0, 5), clamp(2, 0, 5)]") == [5, 0, 2]
    assert run("linspace(0, 1, 5)") == [0, 0.25, 0.5, 0.75, 1]


def test_a_symbol_has_its_subscripts(run):
    below = "[...symbol('W_{h,ik} + h_t').querySelectorAll('sub')].map((sub) => sub.textContent)"
    assert run(below) == ["h,ik", "t"]


STEPPER = """(() => {
  const seen = [];
  const words = (k) => `step ${k}`;
  const own = stepper({ label: "step", count: 2, words, onInput: (k) => seen.push(k) });
  const [back, on] = own.element.querySelectorAll("button");
  for (const key of [back, on, on, on, back]) key.click();
  own.set(4, 5);
  const off = [back, on].map((key) => key.getAttribute("aria-disabled"));
  return [seen, own.value(), off, own.element.textContent];
})()"""


def test_a_stepper_stays_between_its_ends_and_can_get_more_steps(run):
    seen, value, off, text = run(STEPPER)
    assert seen == [0, 1, 1, 1, 0]
    assert value == 4 and off == [None, "true"] and "step 4" in text
