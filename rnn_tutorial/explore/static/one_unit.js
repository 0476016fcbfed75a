// One unit that listens to itself, h_t = tanh(w h_{t-1} + u): the staircase, and the states over
// time at the same height (chapter 01, equations (1.12) and (1.13)).

import { axes, clamp, drag, drawing, html, layout, line, linspace, number, put, readout, scale, set, slider, svg, symbol } from "./kit.js";

/** The states h_0, h_1, ..., h_steps. */
function unitStates(w, u, firstState, steps) {
  const states = [firstState];
  for (let t = 1; t <= steps; t++) states.push(Math.tanh(states[t - 1] * w + u));
  return states;
}

/**
 * The fixed points h = tanh(w h + u) with their slopes w (1 - h^2), from the lowest to the highest.
 * Between two places where the curve has slope 1 there is at most one, so halving finds it.
 */
function unitFixedPoints(w, u) {
  const above = (h) => Math.tanh(w * h + u) - h;
  const turn = w > 1 ? Math.atanh(Math.sqrt(1 - 1 / w)) : 0;
  const turns = w > 1 ? [(-turn - u) / w, (turn - u) / w].map((h) => clamp(h, -1, 1)) : [];
  const ends = [-1, ...turns, 1];
  const points = [];
  for (let i = 1; i < ends.length; i++) {
    let [low, high] = [ends[i - 1], ends[i]];
    const sign = Math.sign(above(low));
    if (low === high || sign === Math.sign(above(high))) continue;
    while (true) {
      const middle = (low + high) / 2;
      if (middle === low || middle === high) break;
      if (above(middle) === 0) low = high = middle;
      else if (Math.sign(above(middle)) === sign) low = middle;
      else high = middle;
    }
    points.push(Math.abs(above(low)) < Math.abs(above(high)) ? low : high);
  }
  return points.map((h) => ({ h, slope: w * (1 - h * h) }));
}

/**
 * What the states come to: one number, or two in turn. With w > 0 the states go one way, to the next
 * fixed point; with w < 0 they jump from one side of the only fixed point to the other.
 */
function unitEnd(w, u, firstState, points) {
  const change = Math.tanh(w * firstState + u) - firstState;
  if (change === 0) return [firstState];
  if (w >= 0) {
    const ahead = points.map(({ h }) => h).filter((h) => (h - firstState) * change >= 0);
    return [change > 0 ? ahead[0] : ahead.at(-1)];
  }
  if (Math.abs(points[0].slope) <= 1) return [points[0].h];
  return unitStates(w, u, firstState, 4000).slice(-2).sort((a, b) => a - b);
}

export function mount(root, data) {
  const now = { w: data.w, u: data.u, firstState: data.first_state };
  const x = scale([-1.12, 1.12], [44, 352]);
  const y = scale([-1.12, 1.12], [334, 26]);
  const time = scale([0, data.steps], [44, 424]);
  const ticks = [-1, -0.5, 0, 0.5, 1];

  const curve = svg("path", { class: "ex-curve" });
  const stairs = svg("path", { class: "ex-stairs" });
  const fixed = svg("g");
  const levels = svg("g");
  const dots = svg("g");
  const onAxis = handle();
  const onTime = handle();
  const map = drawing(
    360, 378, "The curve of the next state over the old one, with the diagonal and the staircase",
    axes({ x, y, xTicks: ticks, yTicks: ticks, xName: "h_{t−1}", yName: "h_t" }),
    svg("path", { class: "ex-diagonal", d: line([[x(-1.12), y(-1.12)], [x(1.12), y(1.12)]]) }),
    curve, stairs, fixed, onAxis,
  );
  const response = drawing(
    440, 378, "The states over time",
    axes({ x: time, y, xTicks: linspace(0, data.steps, 6), yTicks: ticks, xName: "t", yName: "h_t", xDigits: 0 }),
    levels, dots, onTime,
  );

  const words = readout();
  const control = (key, name, label, [min, max]) =>
    slider({ name, label, min, max, step: 0.01, value: now[key], onInput: (v) => move(key, v) });
  const controls = {
    w: control("w", "w", "weight", data.ranges.w),
    firstState: control("firstState", "h_0", "first state", data.ranges.first_state),
    u: control("u", "u", "constant input", data.ranges.u),
  };
  layout(root, {
    controls: Object.values(controls).map((c) => c.element),
    drawings: [map, response],
    words: [words.element],
  });
  drag(onAxis, ([place]) => moveFirst(x.invert(place)));
  drag(onTime, ([, place]) => moveFirst(y.invert(place)));

  function moveFirst(value) {
    const rounded = Math.round(clamp(value, ...data.ranges.first_state) * 100) / 100;
    controls.firstState.set(rounded);
    move("firstState", rounded);
  }

  function move(key, value) {
    now[key] = value;
    draw();
  }

  function draw() {
    const { w, u, firstState } = now;
    const states = unitStates(w, u, firstState, data.steps);
    const points = unitFixedPoints(w, u);
    set(curve, { d: line(linspace(-1.12, 1.12, 241).map((h) => [x(h), y(Math.tanh(w * h + u))])) });
    const corners = states.slice(0, -1).flatMap((h, t) => [[x(h), t ? y(h) : y(-1.12)], [x(h), y(states[t + 1])]]);
    set(stairs, { d: line(corners) });
    put(fixed, points.map((point, i) => fixedPoint(x(point.h), y(point.h), point, isBelow(points, i))));
    put(levels, points.filter(holds).map(({ h }) =>
      svg("line", { class: "ex-level", x1: time(0), x2: time(data.steps), y1: y(h), y2: y(h) })));
    put(dots,
      svg("path", { class: "ex-stairs", d: line(states.map((h, t) => [time(t), y(h)])) }),
      states.slice(1).map((h, t) => svg("circle", { class: "ex-dot", cx: time(t + 1), cy: y(h), r: 3.4 })));
    set(onAxis, { transform: `translate(${x(firstState)} ${y(-1.12)})` });
    set(onTime, { transform: `translate(${time(0)} ${y(firstState)})` });
    describe(points);
  }

  function describe(points) {
    const end = unitEnd(now.w, now.u, now.firstState, points);
    const listed = points.map(({ h, slope }) => `${number(h)} (slope ${number(slope)})`).join(", ");
    const where = end.length === 1
      ? ["the state comes to ", html("b", {}, number(end[0], 3))]
      : ["in the end the state alternates between ", html("b", {}, number(end[0], 3)), " and ", html("b", {}, number(end[1], 3))];
    words.say("From ", symbol("h_0"), ` = ${number(now.firstState)}, `, ...where, ". ",
      points.length === 1 ? `One fixed point: ${listed}.` : `Three fixed points: ${listed}.`);
  }

  draw();
  return {
    values: () => ({
      ...now,
      states: unitStates(now.w, now.u, now.firstState, data.steps),
      fixedPoints: unitFixedPoints(now.w, now.u),
      end: unitEnd(now.w, now.u, now.firstState, unitFixedPoints(now.w, now.u)),
    }),
    unmount: () => words.stop(),
  };
}

/** A state near such a fixed point comes closer to it. */
function holds({ slope }) {
  return Math.abs(slope) < 1;
}

/** Whether the label of fixed point i is below it, where the label of the next one is not. */
function isBelow(points, i) {
  if (points.length === 1) return points[0].h < 0.3;
  if (i !== 1) return i === 0;
  return points[2].h - points[1].h < points[1].h - points[0].h;
}

/** A round handle with a larger place to touch. */
function handle() {
  return svg("g", {}, svg("circle", { class: "ex-hit", r: 20 }), svg("circle", { class: "ex-handle", r: 8 }));
}

/** A fixed point with its slope: filled if it holds a state, a ring if it does not. */
function fixedPoint(px, py, point, below) {
  const at = below ? { x: px + 10, y: py + 17 } : { x: px - 10, y: py - 9 };
  const words = `ex-fixed-label ex-halo ${below ? "" : "ex-end"}`;
  return svg("g", {},
    svg("circle", { class: "ex-fixed", "data-holds": String(holds(point)), cx: px, cy: py, r: 5 }),
    svg("text", { class: words, ...at }, `slope ${number(point.slope)}`));
}
