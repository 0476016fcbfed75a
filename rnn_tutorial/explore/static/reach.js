// How far a gradient reaches: the norm of dh_T / dh_t over the distance, measured by sending a unit
// gradient back from every unit of h_T, and what the chapters compare it with (chapters 06, 10, 12).

import { choice, clamp, drag, drawing, html, layout, line, number, put, readout, scale, set, slider, svg, svgSymbol, symbol, uniqueId, unpack, watchWidth } from "./kit.js";
import { elmanStep, elmanStepBackward, gateBlocks, gruStep, gruStepBackward, lstmStep, lstmStepBackward, rows, sigmoid, transpose } from "./nets.js";

/** What differs between the three cells: their steps, their slider, and the line of comparison. */
const REACH_CELLS = {
  tanh: {
    fields: ["h"],
    step: elmanStep,
    back: elmanStepBackward,
    slider: { name: "ρ", label: "spectral radius", min: 0.1, max: 4, step: 0.1, digits: 1 },
    params: (draw, value) => ({ ...draw, W_h: draw.W_h.map((row) => row.map((w) => value * w)) }),
    factor: (params) => spectralNorm(params.W_h),
    line: "bound (6.9)",
    is: "",
    factorName: "σ_max",
    words: (factor, grows) => factor < 1
      ? "The bound is below 1, so the gradient vanishes, whatever the inputs are."
      : grows
        ? "The bound allows growth, and here the gradient does grow."
        : "The bound allows growth, but here the gradient does not grow.",
  },
  LSTM: {
    fields: ["h", "c"],
    step: lstmStep,
    back: lstmStepBackward,
    slider: { name: "b_f", label: "forget bias", min: -2, max: 6, step: 0.25 },
    params: (draw, value) => withBias(draw, "ifog", "f", value),
    factor: (_, value) => sigmoid(value),
    line: "direct path (10.27)",
    is: " about",
    factorName: "σ(b_{f})",
    words: () => "The direct path along the cell is not a bound: the paths through h and the gates are added to it.",
  },
  GRU: {
    fields: ["h"],
    step: gruStep,
    back: gruStepBackward,
    slider: { name: "b_z", label: "update bias", min: -2, max: 6, step: 0.25 },
    params: (draw, value) => withBias(draw, "rzn", "z", value),
    factor: (_, value) => sigmoid(value),
    line: "direct path",
    is: " about",
    factorName: "σ(b_{z})",
    words: () => "The direct path from state to state is not a bound: the paths through the gates and the candidate are added to it.",
  },
};

/** Return the weights with this bias in one block of b. */
function withBias(weights, gates, gate, value) {
  const b = weights.b.slice();
  gateBlocks([b], gates)[gate][0].fill(value);
  return { ...weights, b };
}

/** Return the weights of a cell, from the packed ones; the biases are zero. */
function unpackWeights({ W_x, W_h }) {
  const [x, h] = [W_x, W_h].map(unpack);
  const columns = x.shape[1];
  const b = new Float64Array(columns);
  return { W_x: rows(x.data, columns), W_h: rows(h.data, columns), b, b_hn: new Float64Array(h.shape[0]) };
}

/** Return the largest singular value: the columns are turned until they are orthogonal. */
function spectralNorm(A) {
  const columns = transpose(A);
  for (let turned = true, sweep = 0; turned && sweep < 60; sweep++) {
    turned = false;
    for (let i = 0; i < columns.length; i++) {
      for (let j = i + 1; j < columns.length; j++) turned = turn(columns[i], columns[j]) || turned;
    }
  }
  return Math.sqrt(Math.max(...columns.map((column) => inner(column, column))));
}

function inner(p, q) {
  let sum = 0;
  for (let k = 0; k < p.length; k++) sum += p[k] * q[k];
  return sum;
}

/** Turn two columns in their plane until they are orthogonal; return whether they were not. */
function turn(p, q) {
  const [pp, qq, pq] = [inner(p, p), inner(q, q), inner(p, q)];
  if (Math.abs(pq) <= 1e-15 * Math.sqrt(pp * qq)) return false;
  const zeta = (qq - pp) / (2 * pq);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  for (let k = 0; k < p.length; k++) {
    const old = p[k];
    p[k] = cosine * (old - tangent * q[k]);
    q[k] = cosine * (tangent * old + q[k]);
  }
  return true;
}

/** Return the norms of dh_T / dh_t at the distances 0, 1, ..., T: `jacobian_norms` of the package. */
function jacobianNorms(cell, params, xs) {
  const H = params.W_h.length;
  const square = (f) => Array.from({ length: H }, (_, k) => Float64Array.from({ length: H }, (_, i) => f(k, i)));
  const zeros = () => Object.fromEntries(cell.fields.map((field) => [field, square(() => 0)]));
  const caches = [];
  let state = zeros();
  for (const x of xs) {
    const made = cell.step(params, Array(H).fill(x), state); // H copies of the sequence
    caches.push(made.cache);
    state = made.state;
  }
  let dstate = { ...zeros(), h: square((k, i) => Number(k === i)) }; // copy k: unit k of h_T
  const norms = [1];
  for (const cache of caches.reverse()) {
    dstate = cell.back(params, cache, dstate).dprevious;
    norms.push(spectralNorm(dstate.h));
  }
  return norms;
}

/** A number of any size: 0.0123, 45.6, or 1.9 × 10⁷. */
function sized(value) {
  if (value === 0) return "0";
  if (value >= 0.001 && value < 1000) return number(value, clamp(2 - Math.floor(Math.log10(value)), 0, 4));
  const [mantissa, exponent] = value.toExponential(1).split("e");
  return `${mantissa} × ${powerOfTen(Number(exponent))}`;
}

/** 10 with an exponent in small digits. */
function powerOfTen(exponent) {
  const small = (digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
  return `10${[...String(exponent)].map(small).join("")}`;
}

const [REACH_LOW, REACH_HIGH] = [-15, 9]; // of the vertical axis, powers of ten

export function mount(root, data) {
  const draws = data.draws.map((packed) => ({
    xs: rows(unpack(packed.xs).data, packed.xs.shape[1]),
    ...Object.fromEntries(Object.keys(REACH_CELLS).map((name) => [name, unpackWeights(packed[name])])),
  }));
  const T = draws[0].xs.length;
  const now = { cell: "tanh", size: 1, draw: 0, distance: 30, bias: { ...data.starts } };
  let own = []; // the norms of the chosen draw
  let others = []; // those of the other draws, which follow
  let waiting = 0;
  let path = []; // what they are compared with
  let factor = 1;

  const clipId = uniqueId("reach");
  const chart = drawing(640, 400, "The norm of the gradient's factor over the distance, on a logarithmic axis");
  const words = readout();
  const sliders = Object.fromEntries(Object.entries(REACH_CELLS).map(([name, cell]) => [name,
    slider({ ...cell.slider, value: now.bias[name], onInput: (value) => change(() => (now.bias[name] = value)) })]));
  const slot = html("div", { class: "ex-control" }, sliders.tanh.element);
  const distance = slider({
    name: "n", label: "distance in steps", min: 0, max: T, step: 1, digits: 0, value: now.distance,
    onInput: (value) => { now.distance = value; draw(); },
  });
  const cells = choice({
    label: "cell", options: Object.keys(REACH_CELLS).map((name) => [name, name]), value: now.cell,
    onInput: (name) => change(() => { now.cell = name; put(slot, sliders[name].element); }),
  });
  const size = slider({
    label: "size of the inputs", min: 0, max: 1, step: 0.1, digits: 1, value: now.size,
    onInput: (value) => change(() => (now.size = value)),
  });
  const which = choice({
    label: "random draw", options: draws.map((_, k) => [String(k), String(k + 1)]), value: "0",
    onInput: (k) => change(() => (now.draw = Number(k))),
  });
  layout(root, {
    controls: [cells.element, slot, size.element, which.element, distance.element],
    drawings: [chart],
    words: [words.element],
  });

  let width = 640;
  let x, y;
  drag(chart, ([place]) => {
    now.distance = Math.round(clamp(x.invert(place), 0, T));
    distance.set(now.distance);
    draw();
  });
  chart.style.touchAction = "pan-y";

  function change(edit) {
    edit();
    measure();
    draw();
  }

  function normsOf(draw) {
    const xs = draw.xs.map((row) => row.map((entry) => now.size * entry));
    const cell = REACH_CELLS[now.cell];
    return jacobianNorms(cell, cell.params(draw[now.cell], now.bias[now.cell]), xs);
  }

  /** Measure the chosen draw at once, and the others one by one when the page has time. */
  function measure() {
    const cell = REACH_CELLS[now.cell];
    const value = now.bias[now.cell];
    own = normsOf(draws[now.draw]);
    factor = cell.factor(cell.params(draws[now.draw][now.cell], value), value);
    path = own.map((_, n) => factor ** n);
    others = [];
    const left = draws.filter((_, k) => k !== now.draw);
    const next = () => {
      others.push(normsOf(left.pop()));
      draw();
      if (left.length) waiting = setTimeout(next, 20);
    };
    clearTimeout(waiting);
    waiting = setTimeout(next, 60);
  }

  function draw() {
    const height = Math.round(clamp(0.62 * width, 300, 400));
    const right = width < 480 ? 74 : 128;
    x = scale([0, T], [52, width - right]);
    y = scale([REACH_LOW, REACH_HIGH], [height - 46, 46]);
    const place = (value) => y(clamp(Math.log10(value), REACH_LOW - 2, REACH_HIGH + 2));
    const curve = (values) => line(values.map((value, n) => [x(n), y(clamp(Math.log10(value), -60, 60))]));
    const rise = (values) => values[Math.min(now.distance + 2, T)] > values[Math.max(now.distance - 2, 0)];
    const measured = { value: own[now.distance], end: y(Math.log10(own[T])), kind: "measured", words: "measured", rises: rise(own) };
    const compared = { value: path[now.distance], end: y(Math.log10(path[T])), kind: "compared", words: REACH_CELLS[now.cell].line, rises: factor > 1 };
    const clip = svg("clipPath", { id: clipId }, svg("rect", { x: x(0), y: y(REACH_HIGH), width: x(T) - x(0), height: y(REACH_LOW) - y(REACH_HIGH) }));
    set(chart, { viewBox: `0 0 ${width} ${height}` });
    put(chart,
      svg("defs", {}, clip),
      reachAxes(x, y, T),
      svg("g", { "clip-path": `url(#${clipId})` },
        ...others.map((norms) => svg("path", { class: "ex-reach-other", d: curve(norms) })),
        svg("path", { class: "ex-reach-compared", d: curve(path) }),
        svg("path", { class: "ex-reach-measured", d: curve(own) })),
      svg("line", { class: "ex-reach-at", x1: x(now.distance), x2: x(now.distance), y1: y(REACH_HIGH), y2: y(REACH_LOW) }),
      svgSymbol("n", { class: "ex-middle ex-halo", x: x(now.distance), y: y(REACH_HIGH) - 10 }),
      ...apart([measured, compared].map((one) => ({ ...one, at: one.end })), y, 34)
        .map(({ kind, words: name, at }) => endLabel(kind, name, x(T) + 8, at, width < 480)),
      ...readings([compared, measured], x(now.distance), place, [x(0), x(T)], y));
    describe();
  }

  function describe() {
    const cell = REACH_CELLS[now.cell];
    const n = now.distance;
    const perStep = (own[T] / own[20]) ** (1 / (T - 20));
    words.say(
      `Measured: back over ${n} steps a gradient is multiplied by at most `, strong("ex-reach-blue", sized(own[n])),
      `. The ${cell.line} is${cell.is} `, symbol(cell.factorName), html("sup", {}, String(n)), " = ", number(factor, 3), html("sup", {}, String(n)), " = ",
      strong("ex-reach-red", sized(path[n])), `. ${cell.words(factor, Number(perStep.toFixed(3)) > 1)} `,
      `Between distances 20 and ${T} the measured factor is ${number(perStep, 3)} a step.`,
    );
  }

  measure();
  draw();
  const stop = watchWidth(chart, (next) => { width = next; draw(); });
  return {
    values: () => ({
      cell: now.cell, value: now.bias[now.cell], size: now.size, draw: now.draw, distance: now.distance,
      norms: own, path, factor, measured: own[now.distance], compared: path[now.distance],
    }),
    unmount() {
      stop();
      clearTimeout(waiting);
      words.stop();
    },
  };
}

function strong(className, text) {
  return html("b", { class: className }, text);
}

/** The axes, with the line at 1 between growing and vanishing. */
function reachAxes(x, y, T) {
  const across = [];
  for (let power = REACH_LOW; power <= REACH_HIGH; power += 3) {
    across.push(
      svg("line", { class: power ? "ex-grid" : "ex-reach-one", x1: x(0), x2: x(T), y1: y(power), y2: y(power) }),
      svg("text", { class: "ex-tick ex-end", x: x(0) - 8, y: y(power) + 4 }, power ? powerOfTen(power) : "1"));
  }
  const along = [0, 10, 20, 30, 40, 50].filter((n) => n <= T).map((n) =>
    svg("text", { class: "ex-tick ex-middle", x: x(n), y: y(REACH_LOW) + 18 }, n));
  return svg("g", { "aria-hidden": "true" }, ...across, ...along,
    svg("text", { class: "ex-tick", x: x(0) + 6, y: y(REACH_HIGH) + 16 }, "↑ grows"),
    svg("text", { class: "ex-tick", x: x(0) + 6, y: y(REACH_LOW) - 8 }, "↓ vanishes"),
    svg("text", { class: "ex-tick ex-middle", x: (x(0) + x(T)) / 2, y: y(REACH_LOW) + 38 }, "distance n = T − t in steps"),
    svgSymbol("‖ ∂h_T / ∂h_t ‖", { x: 4, y: y(REACH_HIGH) - 30 }));
}

/** Return the two marks with their places `at` inside the axes and at least `gap` apart. */
function apart(marks, y, gap) {
  const [high, low] = [y(REACH_HIGH) + 8, y(REACH_LOW) - 8];
  const inside = marks.map((mark) => ({ ...mark, at: clamp(mark.at, high, low) }));
  const [upper, lower] = marks[0].at <= marks[1].at ? inside : [inside[1], inside[0]];
  const missing = Math.max(0, gap - (lower.at - upper.at)) / 2;
  const shift = clamp(0, high - upper.at + missing, low - lower.at - missing);
  upper.at += shift - missing;
  lower.at += shift + missing;
  return inside;
}

/** The name of a line at its end; in two lines where the page is narrow. */
function endLabel(kind, words, left, at, narrow) {
  const parts = narrow ? words.split(" (") : [words];
  const lines = parts.map((part, k) =>
    svg("tspan", { x: left, dy: k ? "1.15em" : "0" }, k ? `(${part}` : part));
  return svg("text", { class: `ex-reach-${kind}-text`, y: at + 4 }, ...lines);
}

/** The marks of the two lines at the chosen distance, each with its number where no line is. */
function readings(marks, left, place, [first, last], y) {
  const level = marks.map(({ value }) => clamp(place(value), y(REACH_HIGH) + 4, y(REACH_LOW) - 4));
  return marks.flatMap(({ kind, value, rises }, k) => {
    const above = level[k] < level[1 - k] || (level[k] === level[1 - k] && kind === "compared");
    const onLeft = left - first < 64 ? false : last - left < 64 ? true : above === rises;
    const away = onLeft === (above === rises) ? 0 : 10; // farther from the line where it is in the way
    const at = clamp(level[k] + (above ? -9 - away : 19 + away), y(REACH_HIGH) + 20, y(REACH_LOW) - 10);
    const look = `ex-halo ex-reach-number ex-reach-${kind}-text ${onLeft ? "ex-end" : ""}`;
    const label = svg("text", { class: look, x: left + (onLeft ? -10 : 10), y: at }, sized(value));
    return [mark(kind, left, place(value), y), label];
  });
}

/** The mark of a line: a circle for what is measured, else a square; a triangle where it is outside. */
function mark(kind, left, at, y) {
  const [high, low] = [y(REACH_HIGH), y(REACH_LOW)];
  const look = { class: `ex-reach-mark-${kind}` };
  if (at < high) return svg("path", { ...look, d: `M${left - 6} ${high + 9}h12l-6 -10z` });
  if (at > low) return svg("path", { ...look, d: `M${left - 6} ${low - 9}h12l-6 10z` });
  return kind === "measured"
    ? svg("circle", { ...look, cx: left, cy: at, r: 5.5 })
    : svg("rect", { ...look, x: left - 5, y: at - 5, width: 10, height: 10 });
}
