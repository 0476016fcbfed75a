// Letters to sounds: a network with attention reads the word that is typed, and the figure shows how
// much each sound looked at each letter (chapter 21).

import { button, drawing, html, layout, number, put, readout, scale, set, stepper, svg, textField, unpackTree } from "./kit.js";
import { attention, dense, embedding, gruStep, softmax } from "./nets.js";

const SOUNDS_START = 0;
const SOUNDS_END = 1; // the phones are numbered from 2
const SOUNDS_LETTERS = "abcdefghijklmnopqrstuvwxyz";
const SOUNDS_BARS = 5;

/** The states of a GRU over the rows xs, one after the other: a row for each. */
function gruStates(params, xs) {
  let state = { h: [new Float64Array(params.W_h.length)] };
  return xs.map((x) => (state = gruStep(params, [x], state).state).h[0]);
}

/** What the network says for a word: [{symbol, weights, probabilities}], the last is the end. */
function soundsOf({ encoder, bridge, decoder, readout, output }, word, longest) {
  const [letters, { forwards, backwards }] = encoder;
  const xs = embedding(letters, [...word].map((letter) => SOUNDS_LETTERS.indexOf(letter)));
  const there = gruStates(forwards, xs);
  const back = gruStates(backwards, xs.toReversed()).toReversed();
  const memory = there.map((row, s) => Float64Array.of(...row, ...back[s]));
  const last = Float64Array.of(...there.at(-1), ...back[0]);
  let state = { h: [dense(bridge, [last])[0].map(Math.tanh)] };
  const said = [];
  for (let symbol = SOUNDS_START; symbol !== SOUNDS_END; ) {
    state = gruStep(decoder[1], embedding(decoder[0], [symbol]), state).state;
    const { weights, contexts } = attention(readout.score, state.h, memory);
    const [logits] = dense(output, [Float64Array.of(...state.h[0], ...contexts[0])]);
    symbol = said.length < longest ? logits.indexOf(Math.max(...logits)) : SOUNDS_END;
    said.push({ symbol, weights: weights[0], logits, probabilities: softmax([logits])[0] });
  }
  return said;
}

export function mount(root, data) {
  const params = unpackTree(data.params);
  let typed = data.word;
  let word = "";
  let said = [];
  let at = 0; // the sound that is looked at

  const field = textField({ label: "word", value: typed, maxLength: data.longest_word, onInput: read });
  const tries = html("div", { class: "ex-buttons ex-row-of-its-own", role: "group", "aria-label": "words to try" },
    ...data.tries.map((other) => button(other, () => { field.set(other); read(other); })));
  const sound = stepper({
    label: "sound", count: 2, words: (t) => (said.length ? `sound ${t + 1} of ${said.length}` : "no word yet"),
    onInput: (t) => { at = t; draw(); },
  });
  const phones = html("div", { class: "ex-phones", onclick: (event) => look(event.target.closest("[data-sound]")?.dataset.sound) });
  const grid = drawing(360, 390, "A row for each sound, a column for each letter; the larger a square, the more the sound looked at the letter");
  const bars = drawing(360, 200, "The likeliest sounds at this step and their probabilities");
  const words = readout();
  layout(root, { controls: [field.element, sound.element], drawings: [grid, html("div", {}, bars, soundsKey(data.examples))], words: [words.element] });
  root.querySelector(".ex-controls").after(tries, phones);
  grid.addEventListener("click", (event) => look(event.target.closest("[data-sound]")?.dataset.sound));

  /** Read the letters a to z of the text; anything else is left out. */
  function read(text) {
    typed = text;
    word = [...text.toLowerCase()].filter((letter) => SOUNDS_LETTERS.includes(letter)).join("");
    said = word ? soundsOf(params, word, data.longest) : [];
    at = 0;
    put(phones, said.map(({ symbol }, t) => soundsChip(data.names[symbol], data.examples, t)));
    draw();
  }

  function look(t) {
    if (t === undefined) return;
    at = Number(t);
    draw();
  }

  function draw() {
    sound.set(at, Math.max(1, said.length));
    [...phones.children].forEach((chip, t) => set(chip, { "aria-pressed": String(t === at) }));
    drawGrid();
    drawBars();
    describe();
  }

  function drawGrid() {
    const side = Math.min(54, 308 / Math.max(word.length, 1), 350 / Math.max(said.length, 1));
    const x = (s) => 52 + side * s;
    const y = (t) => 40 + side * t;
    const looked = said[at]?.weights ?? [];
    put(grid,
      [...word].map((letter, s) => svg("g", {},
        svg("rect", { class: "ex-look", x: x(s) + 1, y: 8, width: side - 2, height: 28, opacity: 0.3 * (looked[s] ?? 0) }),
        svg("text", { class: "ex-code ex-letter ex-middle", x: x(s) + side / 2, y: 28 }, letter))),
      said.map(({ symbol, weights }, t) => svg("g", { class: t === at ? "ex-row ex-chosen" : "ex-row", "data-sound": t },
        svg("rect", { class: "ex-band", x: 0, y: y(t), width: x(word.length), height: side }),
        svg("text", { class: "ex-code ex-end", x: 44, y: y(t) + side / 2 + 5 }, data.names[symbol]),
        Array.from(weights, (weight, s) => soundsSquare(x(s), y(t), side, weight)))));
  }

  function drawBars() {
    const probabilities = said[at]?.probabilities ?? [];
    const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a] || a - b);
    const x = scale([0, 1], [52, 310]);
    put(bars,
      svg("text", { class: "ex-heading", x: 0, y: 14 }, said.length ? `candidates for sound ${at + 1}` : ""),
      order.slice(0, SOUNDS_BARS).map((symbol, k) => {
        const [y, p] = [42 + 30 * k, probabilities[symbol]];
        return [
          svg("text", { class: "ex-code ex-end", x: 44, y: y + 5 }, data.names[symbol]),
          svg("rect", { class: "ex-bar", x: x(0), y: y - 9, width: x(p) - x(0), height: 18 }),
          svg("text", { class: "ex-tick", x: x(p) + 6, y: y + 4 }, number(p)),
        ];
      }).flat());
  }

  function describe() {
    const leftOut = [...typed.toLowerCase()].filter((letter) => !SOUNDS_LETTERS.includes(letter));
    const note = leftOut.length ? ` Left out, because only a to z are known: ${leftOut.join(" ")}.` : "";
    if (!said.length) return words.say(`Type a word of the letters a to z.${note}`);
    const { symbol, weights } = said[at];
    const order = [...weights.keys()].sort((a, b) => weights[b] - weights[a] || a - b);
    const most = order.filter((s, k) => k < 3 && (k === 0 || weights[s] >= 0.005)).map((s) => `${word[s]}, letter ${s + 1} (${number(weights[s])})`);
    const whole = said.map(({ symbol }) => data.names[symbol]).slice(0, -1).join(" ");
    words.say(html("b", {}, `${word}: ${whole}. `), `Sound ${at + 1}, ${data.names[symbol]}, looked most at ${most.join("; ")}.${note}`);
  }

  read(typed);
  return {
    values: () => ({
      word,
      at,
      phones: said.map(({ symbol }) => data.names[symbol]),
      weights: said.map(({ weights }) => Array.from(weights)),
      logits: said.map(({ logits }) => Array.from(logits)),
    }),
    unmount: () => words.stop(),
  };
}

/** A square whose area is the weight, in a faint frame. */
function soundsSquare(x, y, side, weight) {
  const size = (side - 4) * Math.sqrt(weight);
  const place = (side - size) / 2;
  return svg("g", {},
    svg("rect", { class: "ex-cell", x: x + 1, y: y + 1, width: side - 2, height: side - 2 }),
    svg("rect", { class: "ex-look", x: x + place, y: y + place, width: size, height: size }));
}

/** An example such as s[i]t: the letters in brackets make the sound. */
function soundsExample(text) {
  const [before, letters, after] = text.split(/[[\]]/);
  return html("span", { class: "ex-example" }, before, html("b", {}, letters), after);
}

function soundsChip(name, examples, t) {
  const example = examples[name] ? soundsExample(examples[name]) : html("span", { class: "ex-example" }, "\u00a0");
  return html("button", { type: "button", class: "ex-button ex-phone", "data-sound": t }, html("span", { class: "ex-code" }, name), example);
}

/** The key of all sounds, folded. */
function soundsKey(examples) {
  const entries = Object.entries(examples).map(([name, example]) =>
    html("li", {}, html("span", { class: "ex-code" }, name), " ", soundsExample(example)));
  return html("details", { class: "ex-key" }, html("summary", {}, "What each sound is like"), html("ul", {}, ...entries));
}
