// A character model that writes: the reader types a beginning, and the network goes on, letter by
// letter (chapter 09). The letters are coloured by a gate, the cell or the output of one unit.

import { button, choice, drawing, html, layout, number, put, readout, reducedMotion, scale, set, slider, stepper, svg, symbol, textField, unpackTree } from "./kit.js";
import { dense, embedding, lstmStep, softmax } from "./nets.js";

const WRITER_LONGEST = 360; // letters in all
const WRITER_PAUSE = 90; // milliseconds between two letters
const WRITER_AT_ONCE = 40; // letters, where the reader asked for less motion
const WRITER_BARS = 8;
const WRITER_COLUMNS = 12; // of the units
const WRITER_QUANTITIES = [
  ["c", "cell"],
  ["h", "output"],
  ["i", "input gate"],
  ["f", "forget gate"],
  ["o", "output gate"],
  ["g", "candidate"],
];

/** The random numbers of a seed, uniform in [0, 1): mulberry32 of Tommy Ettinger. */
function writerRandom(seed) {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The symbol that the uniform number u draws from the probabilities, equation (5.19). */
function writerDraw(probabilities, u) {
  let sum = 0;
  const ends = probabilities.map((p) => (sum += p));
  return ends.filter((end) => end <= u * sum).length;
}

/** One step of the network: {index, state, cache, logits} after it has read one more symbol. */
function writerRead([letters, lstm, output], index, before) {
  const units = lstm.W_h.length;
  const nothing = { h: [new Float64Array(units)], c: [new Float64Array(units)] };
  const { state, cache } = lstmStep(lstm, embedding(letters, [index]), before?.state ?? nothing);
  return { index, state, cache, logits: dense(output, state.h)[0] };
}

export function mount(root, data) {
  const params = unpackTree(data.params);
  const units = params[1].W_h.length;
  const now = { temperature: data.temperature, seed: data.seed, unit: data.unit, quantity: "c" };
  let typed = data.beginning;
  let steps = []; // what writerRead returned for each letter
  let at = 0; // the letter that is looked at
  let random;
  let timer = 0;

  const beginning = textField({ label: "beginning", value: typed, maxLength: data.longest_beginning, onInput: begin });
  const temperature = slider({
    label: "temperature", min: data.temperatures[0], max: data.temperatures[1], step: 0.1, digits: 1, value: now.temperature,
    onInput: (value) => { now.temperature = value; draw(); },
  });
  const seed = slider({
    label: "random seed", min: data.seeds[0], max: data.seeds[1], step: 1, digits: 0, value: now.seed,
    onInput: (value) => { now.seed = value; begin(typed); },
  });
  const one = button("One letter", () => { stop(); write(); });
  const run = button("Go on", () => (timer ? stop() : start()));
  const again = button("Start again", () => begin(typed));
  const page = html("div", { class: "ex-text ex-focus", tabindex: 0, role: "group", "aria-label": "the text", onclick: pick });
  const key = html("p", { class: "ex-note" });
  const quantity = choice({
    label: "colour of the letters", value: now.quantity,
    options: WRITER_QUANTITIES.map(([name, words]) => [name, [symbol(name), ` ${words}`]]),
    onInput: (value) => { now.quantity = value; draw(); },
  });
  const unit = stepper({
    label: "unit", count: units, value: now.unit, words: (k) => `unit ${k}, of 0 to ${units - 1}`,
    onInput: (value) => { now.unit = value; draw(); },
  });
  const letter = stepper({
    label: "letter", count: typed.length, words: (t) => `letter ${t + 1} of ${Math.max(steps.length, 1)}`,
    onInput: (value) => { stop(); at = value; draw(); },
  });
  const bars = drawing(360, 250, "The likeliest next letters and their probabilities");
  const grid = drawing(360, 220, "All units at the letter that is looked at");
  const words = readout();

  layout(root, {
    controls: [beginning.element, temperature.element, seed.element],
    drawings: [bars, grid],
    words: [words.element],
  });
  root.querySelector(".ex-controls").after(
    html("div", { class: "ex-buttons ex-row-of-its-own" }, one, run, again),
    page, key, quantity.element,
    html("div", { class: "ex-controls ex-row-of-its-own" }, letter.element, unit.element),
  );
  grid.addEventListener("click", pickUnit);

  /** Read the typed text from a state of zeros. What the network has no symbol for is left out. */
  function begin(text) {
    stop();
    const known = [...text].map((symbol) => data.symbols.indexOf(symbol)).filter((index) => index >= 0);
    typed = text;
    steps = [];
    for (const index of known.length ? known : [data.symbols.indexOf("\n")]) read(index);
    random = writerRandom(now.seed);
    at = steps.length - 1;
    draw();
  }

  function read(index) {
    steps.push(writerRead(params, index, steps.at(-1)));
  }

  /** Draw some letters, one after the other, and read each. */
  function write(count = 1) {
    for (let k = 0; k < count && steps.length < WRITER_LONGEST; k++) {
      const [probabilities] = softmax([steps.at(-1).logits], now.temperature);
      read(writerDraw(probabilities, random()));
    }
    if (steps.length >= WRITER_LONGEST) stop();
    at = steps.length - 1;
    draw();
  }

  function start() {
    if (reducedMotion()) return write(WRITER_AT_ONCE);
    timer = setInterval(write, WRITER_PAUSE);
    put(run, "Stop");
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    put(run, "Go on");
  }

  /** The value of a quantity of the unit at letter t. */
  const valueAt = (t, k = now.unit, name = now.quantity) => steps[t].cache[name][0][k];

  const quantityName = () => WRITER_QUANTITIES.find(([name]) => name === now.quantity)[1];

  const signed = () => "cgh".includes(now.quantity);

  /** What a full letter means: 1, or the largest |c| of the unit in this text. */
  function limit() {
    return steps.reduce((largest, _, t) => Math.max(largest, Math.abs(valueAt(t))), 1);
  }

  function draw() {
    letter.set(at, steps.length);
    const full = limit();
    drawText(full);
    const [probabilities] = softmax([steps[at].logits], now.temperature);
    drawBars(probabilities);
    drawUnits();
    describe(probabilities);
    for (const control of [one, run]) set(control, { "aria-disabled": steps.length >= WRITER_LONGEST ? "true" : null });
  }

  function drawText(full) {
    const count = Math.min(shownTyped(), steps.length);
    put(page, html("span", { class: "ex-unseen" }, steps.map(({ index }) => data.symbols[index]).join("")),
      ...steps.flatMap(({ index }, t) => writerLetter(data.symbols[index], valueAt(t) / full, t, t < count, t === at)));
    const chosen = page.querySelector("[data-looked]");
    if (chosen) page.scrollTop = Math.max(0, chosen.offsetTop - page.clientHeight / 2);
    const sign = signed() ? " where it is positive, from above where it is negative" : "";
    put(key, `The ${quantityName()} `, symbol(now.quantity), ` of unit ${now.unit}: filled from below${sign}. `,
      `A letter filled over its whole height is ${signed() ? "±" : ""}${number(full)}.`);
  }

  function shownTyped() {
    return Math.max(1, [...typed].filter((symbol) => data.symbols.includes(symbol)).length);
  }

  function drawBars(probabilities) {
    const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a] || a - b);
    const x = scale([0, 1], [34, 256]);
    const came = steps[at + 1]?.index;
    put(bars,
      svg("text", { class: "ex-heading", x: 0, y: 14 }, "the next letter"),
      order.slice(0, WRITER_BARS).map((index, k) => {
        const y = 40 + 26 * k;
        const p = probabilities[index];
        return svg("g", { class: index === came ? "ex-came" : "" },
          svg("text", { class: "ex-code ex-middle", x: 14, y: y + 5 }, writerVisible(data.symbols[index])),
          svg("rect", { class: "ex-bar", x: x(0), y: y - 8, width: x(p) - x(0), height: 16 }),
          svg("text", { class: "ex-tick", x: x(p) + 6, y: y + 4 }, number(p), index === came ? " ✓ it came" : ""));
      }));
  }

  function drawUnits() {
    const side = 360 / WRITER_COLUMNS;
    const values = Array.from({ length: units }, (_, k) => valueAt(at, k));
    const full = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1);
    put(grid,
      svg("text", { class: "ex-heading", x: 0, y: 14 }, `${quantityName()} of all units${signed() ? " (a frame: negative)" : ""}`),
      values.map((value, k) => {
        const [x, y] = [(k % WRITER_COLUMNS) * side, 24 + Math.floor(k / WRITER_COLUMNS) * side];
        const size = (side - 5) * Math.sqrt(Math.abs(value) / full);
        return svg("g", { class: k === now.unit ? "ex-unit ex-chosen" : "ex-unit", "data-unit": k },
          svg("rect", { class: "ex-cell", x: x + 1, y: y + 1, width: side - 2, height: side - 2 }),
          svg("rect", { class: value < 0 ? "ex-negative" : "ex-positive", x: x + (side - size) / 2, y: y + (side - size) / 2, width: size, height: size }),
          svg("rect", { class: "ex-ring", x: x + 1, y: y + 1, width: side - 2, height: side - 2 }));
      }));
  }

  function describe(probabilities) {
    const best = probabilities.indexOf(Math.max(...probabilities));
    const plain = (name) => number(valueAt(at, now.unit, name));
    const of = (name) => writerFactor(valueAt(at, now.unit, name));
    const before = writerFactor(at ? valueAt(at - 1, now.unit, "c") : 0);
    const unknown = [...typed].filter((symbol) => !data.symbols.includes(symbol));
    words.say(`After “${at > 11 ? "…" : ""}${lastLetters(12)}” the likeliest letter is `,
      html("b", {}, writerVisible(data.symbols[best])), `, with probability ${number(probabilities[best])} at temperature ${number(now.temperature, 1)}. `,
      `In unit ${now.unit}, `, symbol("c_t"), " = ", symbol("f_t"), " ", symbol("c_{t−1}"), " + ", symbol("i_t"), " ", symbol("g_t"),
      ` = ${of("f")} · ${before} + ${of("i")} · ${of("g")} = ${plain("c")}, and `, symbol("h_t"), ` = ${of("o")} · tanh(${plain("c")}) = ${plain("h")}. `,
      unknown.length ? `Left out, because the books do not have it: ${unknown.join(" ")}. ` : "",
      steps.length >= WRITER_LONGEST ? "There is no room for more letters: start again." : "");
  }

  /** The last letters up to the one that is looked at. */
  function lastLetters(count) {
    const shown = steps.slice(Math.max(0, at + 1 - count), at + 1);
    return shown.map(({ index }) => data.symbols[index].replace("\n", "↵")).join("");
  }

  function pick(event) {
    const t = event.target.dataset.step;
    if (t === undefined) return;
    stop();
    at = Number(t);
    draw();
  }

  function pickUnit(event) {
    const k = event.target.closest("[data-unit]")?.dataset.unit;
    if (k === undefined) return;
    now.unit = Number(k);
    unit.set(now.unit);
    draw();
  }

  begin(typed);
  write(data.written);
  return {
    values: () => ({
      ...now,
      typed,
      text: steps.map(({ index }) => data.symbols[index]).join(""),
      at,
      writing: timer !== 0,
      logits: Array.from(steps[at].logits),
      probabilities: Array.from(softmax([steps[at].logits], now.temperature)[0]),
      units: Object.fromEntries(WRITER_QUANTITIES.map(([name]) => [name, Array.from(steps[at].cache[name][0])])),
    }),
    unmount() {
      stop();
      words.stop();
    },
  };
}

/** A letter of the text, filled as its value says; a line end is seen as ↵. */
function writerLetter(symbol, value, t, typed, looked) {
  const style = `--ex-fill:${(100 * Math.min(1, Math.abs(value))).toFixed(1)}%`;
  const sign = value < 0 ? "ex-hangs" : "ex-stands";
  const span = html("span", {
    class: `${sign} ${typed ? "ex-typed" : ""}`, style, "data-step": t, "data-looked": looked || null, "aria-hidden": "true",
  }, symbol === "\n" ? "↵" : symbol);
  return symbol === "\n" ? [span, html("br")] : [span];
}

/** A number in a product: in brackets if it is negative. */
function writerFactor(value) {
  return value < 0 ? `(${number(value)})` : number(value);
}

/** A space and a line end as one sees them. */
function writerVisible(symbol) {
  return { " ": "␣", "\n": "↵" }[symbol] ?? symbol;
}
