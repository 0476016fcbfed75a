// Inside one step of the LSTM: one unit, each number with its gradient by the names of equations
// (10.11) to (10.20), and mistakes planted in the backward (chapters 09 and 10).

import { arrowhead, choice, clamp, drag, drawing, html, layout, line, number, put, readout, select, set, slider, svg, svgSymbol, symbol, uniqueId, watchWidth } from "./kit.js";
import { LSTM_LINES, lstmStep, lstmStepBackward } from "./nets.js";

const GATES = ["i", "f", "o", "g"];

/** What can be moved: the key in the unit, its symbol, its words, and the ends of its slider. */
const MOVES = [
  ["a_f", "a_f", "pre-activation of the forget gate", 6],
  ["a_i", "a_i", "pre-activation of the input gate", 6],
  ["a_g", "a_g", "pre-activation of the candidate", 3],
  ["a_o", "a_o", "pre-activation of the output gate", 6],
  ["c_previous", "c_t−1", "old cell", 3],
  ["dh", "dh_t", "gradient that arrives at h", 2],
  ["dc_next", "dc_next", "gradient that arrives at c", 2],
];

/** What a drag on a card moves. */
const CARD_MOVES = { f: "a_f", i: "a_i", g: "a_g", o: "a_o", a_f: "a_f", a_i: "a_i", a_g: "a_g", a_o: "a_o", c_previous: "c_previous", h: "dh" };

/** The lines that a mistake changes, by its name in the data, as they are then. */
const WRONG_LINES = {
  c: { c: { line: (v, d) => d.c_next, words: "dc_next", numbers: ["c_next"] } },
  c_up: { c_up: { line: (v, d) => d.tanh_c, words: "dc_next + dh · o", numbers: ["c_next", "+", "h", "·", "v.o"], shown: "c" } },
  "i f": {
    i: { line: (v, d) => d.c * v.c_previous, words: "dc · c_t−1", numbers: ["c", "·", "v.c_previous"] },
    f: { line: (v, d) => d.c * v.g, words: "dc · g", numbers: ["c", "·", "v.g"] },
  },
  a_f: { a_f: { line: (v, d) => d.f, words: "df", numbers: ["f"] } },
  o: { o: { line: (v, d) => d.h * v.o, words: "dh · o", numbers: ["h", "·", "v.o"] } },
  c_previous: { c_previous: { line: (v, d) => d.c, words: "dc", numbers: ["c"] } },
};

const slope = (gate) => [`v.${gate}`, "·", "(1 −", `v.${gate}`, ")"];

/** Every gradient that can be explained: its symbol, its equation, its formula, and its numbers.
 * A number is a gradient by its name, or a value with v. in front of its name. */
const GRADIENTS = {
  o: { name: "do", equation: "10.11", words: "dh · tanh c", numbers: ["h", "·", "v.tanh_c"] },
  tanh_c: { name: "d(tanh c)", equation: "10.12", words: "dh · o", numbers: ["h", "·", "v.o"] },
  c: { name: "dc", equation: "10.14", words: "dc_next + dh · o · (1 − tanh² c)", numbers: ["c_next", "+", "h", "·", "v.o", "·", "(1 −", "v.tanh_c", "²)"] },
  i: { name: "di", equation: "10.15", words: "dc · g", numbers: ["c", "·", "v.g"] },
  f: { name: "df", equation: "10.15", words: "dc · c_t−1", numbers: ["c", "·", "v.c_previous"] },
  g: { name: "dg", equation: "10.15", words: "dc · i", numbers: ["c", "·", "v.i"] },
  c_previous: { name: "dc_t−1", equation: "10.15", words: "dc · f", numbers: ["c", "·", "v.f"] },
  a_f: { name: "da_f", equation: "10.16", words: "df · f · (1 − f)", numbers: ["f", "·", ...slope("f")] },
  a_i: { name: "da_i", equation: "10.16", words: "di · i · (1 − i)", numbers: ["i", "·", ...slope("i")] },
  a_g: { name: "da_g", equation: "10.16", words: "dg · (1 − g²)", numbers: ["g", "·", "(1 −", "v.g", "²)"] },
  a_o: { name: "da_o", equation: "10.16", words: "do · o · (1 − o)", numbers: ["o", "·", ...slope("o")] },
  h_previous: { name: "dh_t−1", equation: "10.20", words: "da_f V_f + da_i V_i + da_g V_g + da_o V_o", numbers: products("V") },
  x: { name: "dx", equation: "10.20", words: "da_f U_f + da_i U_i + da_g U_g + da_o U_o", numbers: products("U") },
};

function products(matrix) {
  return ["f", "i", "g", "o"].flatMap((gate, k) => [...(k ? ["+"] : []), `a_${gate}`, "·", `v.${matrix}_${gate}`]);
}

/** Where the cards (w x h) and the circles are, in a wide page and on a phone. */
const WIDE = {
  size: [726, 560], card: [100, 60], narrow: false,
  places: {
    c_previous: [54, 62], keep: [168, 62], add: [349, 62], c: [640, 62],
    tanh_c: [640, 152], f: [168, 240], i: [272, 240], write: [349, 240], g: [426, 240], o: [530, 240], show: [640, 240], h: [640, 332],
    a_f: [168, 356], a_i: [272, 356], a_g: [426, 356], a_o: [530, 356], h_previous: [54, 456], x: [54, 526],
  },
  map: [120, 426, 466, 130], out: { c: [724, 62], h: [724, 332] },
  keepLabel: [258, 52, 86, "ex-middle"], writeLabel: [365, 148, 166, ""], nextLabel: [724, 26, "ex-end"],
};
const NARROW = {
  size: [344, 586], card: [80, 56], narrow: true,
  places: {
    c_previous: [42, 32], keep: [42, 104], add: [171, 104], c: [300, 104],
    tanh_c: [300, 178], show: [300, 244], h: [222, 244], write: [171, 286], f: [42, 346], i: [128, 346], g: [214, 346], o: [300, 346],
    a_f: [42, 442], a_i: [128, 442], a_g: [214, 442], a_o: [300, 442], h_previous: [128, 554], x: [214, 554],
  },
  map: [2, 490, 340, 26], out: { c: [300, 44], h: [222, 196] },
  keepLabel: [106, 96, 122, "ex-middle"], writeLabel: [163, 176, 192, "ex-end"], nextLabel: [288, 34, "ex-end"],
};

const EDGES = [
  ["c_previous", "keep"], ["keep", "add"], ["add", "c"], ["f", "keep"], ["i", "write"], ["g", "write"], ["write", "add"],
  ["c", "tanh_c", "tanh"], ["tanh_c", "show"], ["o", "show"], ["show", "h"],
  ["a_f", "f", "σ"], ["a_i", "i", "σ"], ["a_g", "g", "tanh"], ["a_o", "o", "σ"],
];
const CIRCLES = { keep: "×", write: "×", show: "×", add: "+" };
const CARDS = {
  c_previous: ["c_t−1", "state"], c: ["c_t", "state"], tanh_c: ["tanh c", "plain"], h: ["h_t", "state"],
  f: ["f", "gate"], i: ["i", "gate"], g: ["g", "state"], o: ["o", "gate"],
  a_f: ["a_f", "plain"], a_i: ["a_i", "plain"], a_g: ["a_g", "plain"], a_o: ["a_o", "plain"],
  h_previous: ["h_t−1", "state"], x: ["x_t", "input"],
};

/** Return {values, right, planted} of a unit: everything by name, and the gradients twice. */
function lstmUnitNumbers(data, unit, mistake) {
  const U = Float64Array.from(data.U);
  const V = Float64Array.from(data.V);
  const b = Float64Array.from(GATES, (gate, k) => unit[`a_${gate}`] - data.x * U[k] - data.h_previous * V[k]);
  const params = { W_x: [U], W_h: [V], b };
  const one = (value) => [Float64Array.of(value)];
  const { cache } = lstmStep(params, one(data.x), { h: one(data.h_previous), c: one(unit.c_previous) });
  const dstate = { h: one(unit.dh), c: one(unit.dc_next) };
  const changed = Object.fromEntries(Object.entries(WRONG_LINES[mistake] ?? {}).map(([name, { line }]) => [name, line]));
  const gradients = (lines) => {
    const { dparams, dx, dprevious, d } = lstmStepBackward(params, cache, dstate, lines);
    const flat = Object.fromEntries(Object.entries(d).map(([name, value]) => [name, value[0][0]]));
    GATES.forEach((gate, k) => {
      flat[`U_${gate}`] = dparams.W_x[0][k];
      flat[`V_${gate}`] = dparams.W_h[0][k];
      flat[`b_${gate}`] = dparams.b[k];
    });
    return { ...flat, x: dx[0][0], h_previous: dprevious.h[0][0] };
  };
  const values = { x: data.x, h_previous: data.h_previous, c_previous: unit.c_previous };
  for (const name of ["i", "f", "o", "g", "c", "tanh_c", "h"]) values[name] = cache[name][0][0];
  GATES.forEach((gate, k) => Object.assign(values, {
    [`a_${gate}`]: cache.a[gate][0][0], [`U_${gate}`]: U[k], [`V_${gate}`]: V[k], [`b_${gate}`]: b[k],
  }));
  return { values, right: gradients(LSTM_LINES), planted: gradients({ ...LSTM_LINES, ...changed }) };
}

/** Return two numbers with as many digits as it takes to see that they differ. */
function apartInDigits(right, wrong) {
  for (let digits = 3; digits < 16; digits++) {
    if (number(right, digits) !== number(wrong, digits)) return [number(right, digits), number(wrong, digits)];
  }
  return [right.toExponential(2), wrong.toExponential(2)];
}

export function mount(root, data) {
  const [a_i, a_f, a_o, a_g] = data.start.a;
  const start = { a_i, a_f, a_o, a_g, c_previous: data.start.c_previous, dh: data.start.dh, dc_next: data.start.dc_next };
  const now = { unit: { ...start }, mistake: "", moved: "c_previous", explained: "c" };
  let form = WIDE;
  const id = uniqueId("lstm");
  const words = readout();
  const picture = drawing(880, 548, "One step of an LSTM with one unit: every value, and its gradient below it");
  const table = html("table", { class: "ex-lstm-table" });

  const sliders = Object.fromEntries(MOVES.map(([key, name, label, end]) => [key,
    slider({ name, label, min: -end, max: end, step: 0.01, value: start[key], onInput: (value) => change(key, value) })]));
  const slot = html("div", { class: "ex-control" }, sliders[now.moved].element);
  const moving = choice({
    label: "what you move", options: MOVES.map(([key, name]) => [key, symbol(name)]), value: now.moved,
    onInput: (key) => { move(key); draw(); },
  });
  const planting = select({
    label: "plant a mistake",
    options: [["", "none"], ...Object.entries(data.mistakes).map(([key, { place, why }]) => [key, `${plain(place)}: ${why}`])],
    value: "",
    onInput: (key) => {
      now.mistake = key;
      const [first] = Object.entries(WRONG_LINES[key] ?? {});
      if (first) explain(first[1].shown ?? first[0]);
      draw();
    },
  });
  const explaining = select({
    label: "explain a gradient",
    options: Object.entries(GRADIENTS).map(([key, { name, equation }]) => [key, `${plain(name)}   (${equation})`]),
    value: now.explained,
    onInput: (key) => { now.explained = key; draw(); },
  });
  layout(root, { controls: [moving.element, slot, planting.element, explaining.element], drawings: [picture], words: [words.element, table] });
  moving.element.classList.add("ex-lstm-moving");

  function change(key, value) {
    now.unit[key] = value;
    draw();
  }

  function move(key) {
    now.moved = key;
    moving.set(key);
    put(slot, sliders[key].element);
  }

  function explain(key) {
    now.explained = key;
    explaining.set(key);
  }

  const groups = Object.fromEntries(Object.keys(CARDS).map((name) => [name, card(name)]));
  const arrows = svg("g", { "aria-hidden": "true" });
  const labels = svg("g");
  picture.append(
    svg("defs", {}, arrowhead(`${id}-f`, "ex-lstm-head"), arrowhead(`${id}-b`, "ex-lstm-back-head")),
    arrows, labels, ...Object.values(groups),
  );

  /** A card: a touch explains its gradient, and what can be moved there is dragged sideways. */
  function card(name) {
    const group = svg("g", { class: "ex-lstm-card" });
    const key = CARD_MOVES[name];
    let at = 0;
    let from = null;
    group.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      if (name in GRADIENTS) explain(name);
      if (key) move(key);
      from = null;
      at = now.unit[key];
      draw();
    });
    if (!key) return group;
    drag(group, ([x]) => {
      from ??= x;
      const { input } = sliders[key];
      const value = clamp(Math.round(100 * at + (x - from)) / 100, Number(input.min), Number(input.max));
      sliders[key].set(value);
      change(key, value);
    });
    group.style.touchAction = "pan-y";
    return group;
  }

  function draw() {
    const { values, right, planted } = lstmUnitNumbers(data, now.unit, now.mistake);
    set(picture, { viewBox: `0 0 ${form.size[0]} ${form.size[1]}` });
    picture.classList.toggle("ex-lstm-narrow", form.narrow);
    put(arrows, svg("path", { class: "ex-lstm-band", d: line([form.places.keep, form.places.c]) }),
      ...EDGES.flatMap(([a, b, name]) => edge(form, a, b, name, id)), ...outside(form, id), ...affine(form, id),
      ...Object.entries(CIRCLES).map(([name, sign]) => circle(form.places[name], sign)));
    const reads = new Set(GRADIENTS[now.explained].numbers.filter((part) => /[a-z]/.test(part)).map((part) => part.replace("v.", "").replace("c_next", "c")));
    for (const [name, group] of Object.entries(groups)) fillCard(group, name, { values, right, planted, reads });
    const pair = ([x, y, z, look], value, gradient) => [
      svg("text", { class: `ex-halo ${look}`, x, y }, number(value, 3)),
      svg("text", { class: `ex-halo ex-lstm-gradient ${look}`, x, y: z }, gradient === right.c ? number(gradient, 3) : `✗\u2009${number(gradient, 3)}`)];
    const [nx, ny, look] = form.nextLabel;
    put(labels,
      ...pair(form.keepLabel, values.f * values.c_previous, planted.c),
      ...pair(form.writeLabel, values.i * values.g, planted.c),
      svgSymbol("dc_next", { class: `ex-lstm-gradient ${look}`, x: nx, y: ny - 14 }),
      svg("text", { class: `ex-lstm-gradient ex-halo ${look}`, "data-moved": String(now.moved === "dc_next"), x: nx, y: ny + 1 }, number(now.unit.dc_next, 3)),
      ...(form.narrow ? [] : parameterTexts(form, values)));
    drawTable(right, planted);
    describe(values, right, planted);
  }

  function fillCard(group, name, { values, right, planted, reads }) {
    const [w, h] = form.card;
    const [x, y] = form.places[name];
    const [title, kind] = CARDS[name];
    const gradient = name === "h" ? now.unit.dh : planted[name];
    const wrong = name !== "h" && planted[name] !== right[name];
    const state = name === now.explained ? "explained" : reads.has(name) ? "read" : "";
    const left = x - w / 2 + 9;
    const [shownRight, shownWrong] = wrong ? apartInDigits(right[name], planted[name]) : [];
    set(group, { "data-state": state, "data-wrong": String(wrong) });
    put(group,
      svg("rect", { class: "ex-lstm-box", x: x - w / 2, y: y - h / 2, width: w, height: h, rx: 5 }),
      svg("rect", { class: `ex-lstm-${kind}`, x: x - w / 2 + 2, y: y - h / 2 + 4, width: 3.5, height: h - 8, rx: 1.7 }),
      svgSymbol(form.narrow && name === "tanh_c" ? "tanh" : title, { class: name === "tanh_c" && !form.narrow ? "ex-lstm-name" : "", x: left, y: y - h / 2 + 18 }),
      svg("text", { class: "ex-end ex-lstm-value", "data-moved": String(name === now.moved), x: x + w / 2 - 6, y: y - h / 2 + 18 }, number(values[name], 3)),
      form.narrow && wrong ? "" : svgSymbol(form.narrow || (wrong && /previous/.test(name)) ? "d" : gradientName(name), { class: "ex-lstm-gradient ex-lstm-name", x: left, y: y - h / 2 + 35 }),
      svg("text", { class: "ex-end ex-lstm-gradient", "data-moved": String(name === "h" && now.moved === "dh"), x: x + w / 2 - 6, y: y - h / 2 + 35 }, wrong ? `✗\u2009${shownWrong}` : number(gradient, 3)),
      wrong ? svg("text", { class: "ex-end ex-lstm-right", x: x + w / 2 - 6, y: y - h / 2 + 51 }, `✓\u2009${shownRight}`) : "");
  }

  function drawTable(right, planted) {
    const cell = (name) => {
      const wrong = right[name] !== planted[name];
      const [shownRight, shownWrong] = wrong ? apartInDigits(right[name], planted[name]) : [number(right[name], 3), ""];
      return html("td", { "data-wrong": String(wrong) },
        ...(wrong ? [html("b", {}, `✗\u2009${shownWrong}`), html("span", {}, `✓\u2009${shownRight}`)] : [shownRight]));
    };
    const rows = ["U", "V", "b"].map((matrix) => html("tr", {},
      html("th", { scope: "row" }, symbol(`d${matrix}`)), ...GATES.map((gate) => cell(`${matrix}_${gate}`))));
    put(table,
      html("caption", {}, "The gradients of the parameters, (10.18), gate by gate"),
      html("tbody", {}, html("tr", {}, html("td", {}), ...GATES.map((gate) => html("th", { scope: "col" }, symbol(gate)))), ...rows));
  }

  function describe(values, right, planted) {
    const { name, equation, words: formula, numbers } = GRADIENTS[now.explained];
    const row = (...parts) => html("span", { class: "ex-lstm-row" }, ...parts, " ");
    const sum = (own, gradients, result) => [symbol(name), " = ", ...formulaWords(own.words), ` = ${inNumbers(own.numbers, values, gradients)} = `, html("b", {}, result)];
    const lines = Object.values(WRONG_LINES[now.mistake] ?? {});
    const own = WRONG_LINES[now.mistake]?.[now.explained] ?? lines.find(({ shown }) => shown === now.explained);
    words.say(
      row(...sum({ words: formula, numbers }, right, number(right[now.explained], 3)), `, equation (${equation}).`),
      own ? row("✗ Planted: ", ...sum(own, planted, apartOrSame(right[now.explained], planted[now.explained])), ".") : "",
      now.mistake ? row(...whatChanged(changedNames(right, planted))) : "",
    );
  }

  draw();
  const stop = watchWidth(picture, (width) => {
    form = width < 560 ? NARROW : WIDE;
    draw();
  });
  return {
    values: () => {
      const numbers = lstmUnitNumbers(data, now.unit, now.mistake);
      return { ...now, unit: { ...now.unit }, ...numbers, changed: changedNames(numbers.right, numbers.planted) };
    },
    unmount() {
      stop();
      words.stop();
    },
  };
}

const ALL_GRADIENTS = [...Object.keys(GRADIENTS), ...["U", "V", "b"].flatMap((matrix) => GATES.map((gate) => `${matrix}_${gate}`))];

/** The names of the gradients that a mistake has changed. */
function changedNames(right, planted) {
  return ALL_GRADIENTS.filter((name) => right[name] !== planted[name]);
}

/** The same in words: the changed ones by name, or if they are many, the others. */
function whatChanged(changed) {
  if (!changed.length) return ["It changes no number here: a test at this point would not find it."];
  const rest = ALL_GRADIENTS.filter((name) => !changed.includes(name));
  const listed = (names) => names.flatMap((name, k) => [k ? ", " : "", symbol(GRADIENTS[name]?.name ?? `d${name}`)]);
  return [`It changes ${changed.length} of ${ALL_GRADIENTS.length} gradients, marked ✗: `,
    ...(rest.length < changed.length ? ["all but ", ...listed(rest)] : listed(changed)), "."];
}

function apartOrSame(right, wrong) {
  return right === wrong ? number(wrong, 3) : apartInDigits(right, wrong)[1];
}

/** A symbol in plain text, for a list: dc_t−1 is dc t−1. */
function plain(name) {
  return name.replace("_", " ");
}

/** The name of the gradient of a card. */
function gradientName(name) {
  return { h: "dh_t", tanh_c: "d" }[name] ?? GRADIENTS[name].name;
}

/** A formula in words, its symbols set as symbols. */
function formulaWords(formula) {
  return formula.split(" ").flatMap((part) => [/^(?:[·+−=()\d]|tanh)/.test(part) ? part : symbol(part), " "]).slice(0, -1);
}

/** The formula with its numbers; a negative number is in brackets. */
function inNumbers(parts, values, gradients) {
  return parts.map((part) => {
    if (!/[a-zU-V]/.test(part)) return part;
    const value = part.startsWith("v.") ? values[part.slice(2)] : gradients[part];
    return value < 0 ? `(${number(value, 3)})` : number(value, 3);
  }).join(" ").replaceAll(" ²", "²").replaceAll(" )", ")");
}

/** Where the straight line from the middle of a card or a circle to a point leaves it. */
function rim(form, name, [x, y]) {
  const [a, b] = form.places[name];
  const [dx, dy] = [x - a, y - b];
  const part = name in CIRCLES
    ? 12 / Math.hypot(dx, dy)
    : Math.min(dx ? form.card[0] / 2 / Math.abs(dx) : Infinity, dy ? form.card[1] / 2 / Math.abs(dy) : Infinity);
  return [a + part * dx, b + part * dy];
}

/** An edge: forward in ink, back dashed next to it, with the name of a function on it. */
function edge(form, a, b, name, id) {
  return bothWays(rim(form, a, form.places[b]), rim(form, b, form.places[a]), id, name);
}

function bothWays([x, y], [u, v], id, name) {
  const length = Math.hypot(u - x, v - y);
  const [p, q] = [(3.5 * (v - y)) / length, (-3.5 * (u - x)) / length];
  return [
    svg("path", { class: "ex-lstm-forward", d: line([[x + p, y + q], [u + p, v + q]]), "marker-end": `url(#${id}-f)` }),
    svg("path", { class: "ex-lstm-back", d: line([[u - p, v - q], [x - p, y - q]]), "marker-end": `url(#${id}-b)` }),
    ...(name ? [svg("text", { class: "ex-tick", x: (x + u) / 2 + 10, y: (y + v) / 2 + 4 }, name)] : []),
  ];
}

/** The arrows that leave c and h, for the next step and the loss. */
function outside(form, id) {
  return Object.entries(form.out).flatMap(([name, point]) => bothWays(rim(form, name, point), point, id));
}

/** The affine map below: a = x U + h V + b. */
function affine(form, id) {
  const [x, y, w, h] = form.map;
  const middle = [x + w / 2, y + h / 2];
  const up = ["a_f", "a_i", "a_g", "a_o"].flatMap((name) => {
    const at = form.places[name][0];
    return bothWays([at, y], rim(form, name, [at, y]), id);
  });
  const across = ["h_previous", "x"].flatMap((name) => {
    const [a, b] = form.places[name];
    const to = b > y + h ? [a, y + h] : [x, b];
    return bothWays(rim(form, name, to), to, id);
  });
  return [
    svg("rect", { class: "ex-lstm-map", x, y, width: w, height: h, rx: 5 }),
    svg("text", { class: "ex-math ex-middle", x: middle[0], y: form.narrow ? middle[1] + 5 : y + h - 14 }, "a = x U + h V + b"), ...up, ...across];
}

/** The parameters of each gate in the affine map. */
function parameterTexts(form, values) {
  const top = form.map[1] + 26;
  return GATES.flatMap((gate) => ["U", "V", "b"].flatMap((matrix, k) => {
    const x = form.places[`a_${gate}`][0];
    return [
      svgSymbol(`${matrix}_${gate}`, { x: x - 36, y: top + 23 * k }),
      svg("text", { class: "ex-end", x: x + 42, y: top + 23 * k }, number(values[`${matrix}_${gate}`], 3)),
    ];
  }));
}

function circle([x, y], sign) {
  return svg("g", {}, svg("circle", { class: "ex-lstm-circle", cx: x, cy: y, r: 12 }), svg("text", { class: "ex-middle", x, y: y + 5 }, sign));
}
