// Backpropagation through time in numbers: one unit, four steps (chapter 03). The slider walks
// forward and back; the table has every path of the picked gradient: a row for each use, a column
// for each loss. A path's factors are on the edges of the drawing.

import { arrowhead, choice, clamp, drawing, html, layout, number, put, readout, set, stepper, svg, svgSymbol, symbol, uniqueId, watchWidth } from "./kit.js";

const STEPS = 4;
const TIMES = [1, 2, 3, 4];
const END = 2 * STEPS + 1; // the last position of the walk: dh_0

/** A gradient that can be picked: what it belongs to, whether one step has it, its last factor. */
const PICKS = {
  dW_h: { of: "W_h", ofStep: false, last: (n, t) => [`W_h${t}`, `h_${t - 1}`, n.h[t - 1]] },
  dW_x: { of: "W_x", ofStep: false, last: (n, t) => [`W_x${t}`, `x_${t}`, n.x[t]] },
  db: { of: "b", ofStep: false, last: (n, t) => [`b${t}`, "1", 1] },
  dx: { of: "x", ofStep: true, last: (n, t) => [`input${t}`, "w_x", n.w_x] },
  dh: { of: "h", ofStep: true },
};

/** All numbers, forward and back; lists count from 1 like the formulas, and h from 0. */
function throughTimeNumbers({ w_x, w_h, b, h_0, xs, dhs }) {
  const n = { w_x, w_h, b, x: [0, ...xs], dhOut: [0, ...dhs], h: [h_0], a: [0], dh: [], da: [0], dx: [0] };
  for (const t of TIMES) {
    n.a[t] = n.x[t] * w_x + n.h[t - 1] * w_h + b; // (3.1)
    n.h[t] = Math.tanh(n.a[t]);
  }
  let next = 0;
  for (const t of [...TIMES].reverse()) {
    n.dh[t] = n.dhOut[t] + next; // (3.10)
    n.da[t] = n.dh[t] * (1 - n.h[t] ** 2);
    n.dx[t] = n.da[t] * w_x; // (3.14)
    next = n.da[t] * w_h;
  }
  n.dh[0] = next;
  const sum = (f) => TIMES.reduce((total, t) => total + f(t), 0);
  n.dW_x = sum((t) => n.x[t] * n.da[t]); // (3.13)
  n.dW_h = sum((t) => n.h[t - 1] * n.da[t]);
  n.db = sum((t) => n.da[t]);
  return n;
}

/**
 * The path from loss k back to step s of the picked gradient, as factors [edge, name, value]:
 * dh_k^out, then (1 - h_t^2) w_h for each link, then (1 - h_s^2) and the last factor.
 */
function pathFactors(n, pick, s, k) {
  const slope = (t) => [`tanh${t}`, `1 − h_${t}²`, 1 - n.h[t] ** 2];
  const factors = [[`loss${k}`, `dh_${k}^out`, n.dhOut[k]]];
  for (let t = k; t > s; t--) factors.push(slope(t), [`link${t}`, "w_h", n.w_h]);
  return PICKS[pick].last ? [...factors, slope(s), PICKS[pick].last(n, s)] : factors;
}

/** The paths of a gradient: {s, k, factors, value}, s a use and k a loss. */
function gradientPaths(n, pick, t) {
  const uses = PICKS[pick].ofStep ? [t] : TIMES;
  return uses.flatMap((s) =>
    TIMES.filter((k) => k >= s).map((k) => {
      const factors = pathFactors(n, pick, s, k);
      return { s, k, factors, value: factors.reduce((product, [, , value]) => product * value, 1) };
    }),
  );
}

/** Where things are, for a wide or a narrow drawing. The table below has the same columns. */
function throughTimePlaces(narrow) {
  const [width, first, step, box] = narrow ? [360, 25, 63, 47] : [744, 58, 137, 66];
  const place = { narrow, width, box, height: 344, tall: 40, digits: narrow ? 2 : 3 };
  const columns = [first + step / 2, step, step, step, step, width - first - 4.5 * step];
  return { ...place, x: (t) => first + step * t, y: { loss: 20, h: 110, a: 212, x: 306 }, columns };
}

export function mount(root, data) {
  const n = throughTimeNumbers(data);
  const now = { position: 0, pick: "dW_h", t: 1, path: null, width: 744, narrow: false };
  const picture = drawing(744, 344, "The network over four steps, with its numbers and gradients");
  const table = html("table", { class: "ex-paths" });
  const words = readout();
  const walk = stepper({
    label: "walk through the steps", count: END + 1, value: now.position, words: positionWords,
    onInput: (position) => change({ position, path: null }),
  });
  const pick = choice({
    label: "gradient",
    options: Object.keys(PICKS).map((own) => [own, symbol(PICKS[own].ofStep ? `${own}_t` : own)]),
    value: now.pick,
    onInput: (own) => change({ pick: own, path: null, position: END, t: clamp(now.t, own === "dh" ? 0 : 1, STEPS) }),
  });
  const step = choice({
    label: "step",
    options: [0, ...TIMES].map((t) => [String(t), String(t)]),
    value: String(now.t),
    onInput: (t) => change({ t: Number(t), path: null, position: END }),
  });
  layout(root, { controls: [walk.element, pick.element, step.element], drawings: [picture], words: [words.element, table] });
  root.querySelector(".ex-controls").classList.add("ex-walk");

  function change(next) {
    Object.assign(now, next);
    walk.set(now.position);
    step.set(now.t);
    draw();
  }

  const paths = () => gradientPaths(n, now.pick, now.t);
  const shownPaths = () => (now.path ? [now.path] : paths().filter(({ s }) => s >= reachedBack()));
  /** The steps t with dh_t known are those from here on. */
  const reachedBack = () => 2 * STEPS + 1 - now.position;
  const reachedForward = () => Math.min(now.position, STEPS);

  function draw() {
    const p = throughTimePlaces(now.narrow);
    set(picture, { viewBox: `0 0 ${p.width} ${p.height}` });
    const lit = new Map(shownPaths().flatMap(({ factors }) => factors.map(([edge, , value]) => [edge, value])));
    drawNetwork(picture, p, n, { lit, one: now.path !== null, forward: reachedForward(), back: reachedBack() });
    step.element.style.visibility = PICKS[now.pick].ofStep ? "visible" : "hidden";
    step.element.style.display = PICKS[now.pick].ofStep || now.width > 680 ? "" : "none"; // no empty row
    step.element.querySelector("input").disabled = now.pick !== "dh";
    drawTable();
    describe();
  }

  function drawTable() {
    const all = paths();
    const rows = [...new Set(all.map(({ s }) => s))];
    const known = (s) => s >= reachedBack();
    const cell = (path) => {
      const words = `use ${path.s}, loss ${path.k}: ${number(path.value, 3)}`;
      const same = now.path && now.path.s === path.s && now.path.k === path.k;
      const toggle = () => {
        change({ path: same ? null : path });
        table.querySelector(`[data-path="${path.s},${path.k}"]`).focus();
      };
      return html("button", { type: "button", "aria-label": words, "aria-pressed": String(Boolean(same)), "data-path": `${path.s},${path.k}`, onclick: toggle }, number(path.value, 3));
    };
    const { columns, width } = throughTimePlaces(now.narrow);
    const widths = columns.map((w) => html("col", { style: `width: ${(100 * w) / width}%` }));
    const corner = PICKS[now.pick].ofStep ? "path to" : [symbol(PICKS[now.pick].of), " at"];
    const title = (...words) => html("th", { scope: "col" }, ...words);
    const head = html("tr", {}, title(...[corner].flat()), TIMES.map((k) => title(symbol(`L_${k}`))), title("sum"));
    const body = rows.map((s) => {
      const own = all.filter((path) => path.s === s);
      const cells = TIMES.map((k) => {
        const path = own.find((one) => one.k === k);
        return html("td", {}, path ? (known(s) ? cell(path) : "·") : "");
      });
      const total = own.reduce((sum, { value }) => sum + value, 0);
      return html("tr", {}, html("th", { scope: "row" }, PICKS[now.pick].ofStep ? symbol(`${PICKS[now.pick].of}_${s}`) : `step ${s}`), cells, html("td", {}, known(s) ? number(total, 3) : "·"));
    });
    const total = all.filter(({ s }) => known(s)).reduce((sum, { value }) => sum + value, 0);
    const complete = rows.every(known);
    const count = all.length === 1 ? "one path" : `sum of ${all.length} paths`;
    const name = [gradientName(), complete ? `, ${count}` : ", so far"];
    const foot = html("tr", { class: "ex-total" }, html("th", { scope: "row", colspan: 5 }, ...name), html("td", {}, number(total, 3)));
    put(table, html("colgroup", {}, widths), html("thead", {}, head), html("tbody", {}, body), html("tfoot", {}, foot));
  }

  function gradientName() {
    return symbol(PICKS[now.pick].ofStep ? `${now.pick}_${now.t}` : now.pick);
  }

  function describe() {
    if (now.path) words.say(...pathWords());
    else words.say(...stepWords());
  }

  function pathWords() {
    const { factors, value } = now.path;
    const names = factors.toReversed().flatMap(([, name], i) => [i ? " · " : "", factorName(name)]);
    const values = factors.toReversed().map(([, , v]) => bracket(v)).join(" · ");
    return [...names, ` = ${values} = `, html("b", {}, number(value, 3))];
  }

  function stepWords() {
    const { position } = now;
    if (position === 0) return ["The walk begins with ", symbol("h_0"), ` = ${number(n.h[0], 3)}. Go forward to compute step 1.`];
    if (position <= STEPS) {
      const t = position;
      return [symbol(`a_${t}`), ` = ${bracket(n.x[t])} · ${bracket(n.w_x)} + ${bracket(n.h[t - 1])} · ${bracket(n.w_h)} + ${bracket(n.b)} = ${number(n.a[t], 3)}, and `,
        symbol(`h_${t}`), ` = tanh(${number(n.a[t], 3)}) = `, html("b", {}, number(n.h[t], 3)), "."];
    }
    const t = reachedBack();
    if (t === 0) return [symbol("dh_0"), " = ", symbol("da_1"), " · ", symbol("w_h"), ` = ${bracket(n.da[1])} · ${bracket(n.w_h)} = `, html("b", {}, number(n.dh[0], 3)), ". The walk is over: each link was crossed once, and every path is counted."];
    const next = t === STEPS ? "nothing from a later step" : `${bracket(n.da[t + 1])} · ${bracket(n.w_h)} from step ${t + 1}`;
    return [symbol(`dh_${t}`), ` = ${number(n.dhOut[t], 3)} from its loss, plus ${next}: `, html("b", {}, number(n.dh[t], 3)), "; ",
      symbol(`da_${t}`), ` = ${bracket(n.dh[t])} · ${number(1 - n.h[t] ** 2, 3)} = `, html("b", {}, number(n.da[t], 3)), "."];
  }

  const stop = watchWidth(root, (width) => {
    Object.assign(now, { width, narrow: width < 600 });
    draw();
  });
  draw();
  return {
    values: () => ({
      ...n, position: now.position, pick: now.pick, t: now.t, path: now.path,
      paths: paths(), sum: paths().reduce((sum, { value }) => sum + value, 0),
      lit: [...new Set(shownPaths().flatMap(({ factors }) => factors.map(([edge]) => edge)))],
    }),
    unmount() {
      stop();
      words.stop();
    },
  };
}

function positionWords(position) {
  if (position === 0) return "before the first step";
  if (position <= STEPS) return `forward, step ${position}`;
  return position < END ? `back, step ${END - position}` : "back at the first state";
}

/** A number with brackets if it is negative, for a product. */
function bracket(value) {
  const text = number(value, 3);
  return text.startsWith("\u2212") ? `(${text})` : text;
}

/** The name of a factor: "1 − h_3²" and "dh_3^out" need more than a symbol. */
function factorName(name) {
  const out = name.match(/^(dh_\d)\^out$/);
  if (out) return html("span", {}, symbol(out[1]), html("sup", {}, "out"));
  const slope = name.match(/^1 − (h_\d)²$/);
  if (slope) return html("span", {}, "(1 − ", symbol(slope[1]), "²)");
  return symbol(name);
}

/** Draw the network at the places p, with the numbers reached so far, the lit edges and a key. */
function drawNetwork(picture, p, n, { lit, one, forward, back }) {
  const head = uniqueId("back");
  const half = p.tall / 2;
  const parts = [svg("defs", {}, arrowhead(head, "ex-head"))];
  const factor = (id, at) => svg("text", { class: "ex-factor ex-halo", ...at }, number(lit.get(id), p.digits));
  const edge = (id, [x1, y1], [x2, y2], at) => {
    const on = lit.has(id);
    const look = { class: on ? "ex-edge ex-lit" : "ex-edge", "marker-end": on ? `url(#${head})` : null };
    parts.push(svg("line", { ...look, x1, y1, x2, y2 }), ...(on ? [factor(id, at)] : []));
  };
  const weight = (id, x, y, at, label) => {
    const on = lit.has(id);
    if (!p.narrow) parts.push(svgSymbol(id.slice(0, -1), { class: "ex-small", ...label }));
    parts.push(svg("rect", { class: on ? "ex-weight ex-lit" : "ex-weight", x: x - 4.5, y: y - 4.5, width: 9, height: 9 }));
    if (on && one && at) parts.push(factor(id, at));
  };
  for (const t of TIMES) {
    const x = p.x(t);
    const { loss, h, a, x: low } = p.y;
    const from = [p.x(t - 1) + p.box / 2 - 6, h + half + 1];
    const to = [x - p.box / 2 + 2, a - half];
    const onLink = { x: (from[0] + to[0]) / 2 - 5, y: (from[1] + to[1]) / 2 + 11, "text-anchor": "end" };
    const onSlope = { x: x - (p.narrow ? 5 : 7), y: h + half + 17, "text-anchor": "end" };
    const onInput = { x: x + 8, y: a + half + 30 };
    edge(`loss${t}`, [x, loss + 14], [x, h - half - 1], { x: x + 7, y: (loss + h) / 2 + 2 });
    edge(`tanh${t}`, [x, h + half], [x, a - half - 1], onSlope);
    edge(`link${t}`, to, from, onLink);
    edge(`input${t}`, [x, a + half], [x, low - half - 1], onInput);
    parts.push(svg("circle", { class: "ex-node", cx: x, cy: loss, r: 14 }), svgSymbol(`L_${t}`, { class: "ex-middle", x, y: loss + 5 }));
    parts.push(...node(p, `h_${t}`, x, h, t <= forward && n.h[t], t >= back && n.dh[t]));
    parts.push(...node(p, `a_${t}`, x, a, t <= forward && n.a[t], t >= back && n.da[t]));
    parts.push(...node(p, `x_${t}`, x, low, n.x[t], t >= back && n.dx[t]));
    const right = x + p.box / 2 + 5;
    weight(`W_h${t}`, to[0] - 6, to[1] - 2, onLink, { x: to[0] - 14, y: to[1] + 8, "text-anchor": "end" });
    weight(`W_x${t}`, x, a + half + 5, onInput, { x: x - 9, y: a + half + 13, "text-anchor": "end" });
    weight(`b${t}`, right, a, null, { x: right + 9, y: a + 5 });
  }
  parts.push(...node(p, "h_0", p.x(0), p.y.h, n.h[0], back <= 0 && n.dh[0]));
  parts.push(...node({ ...p, box: p.narrow ? 58 : p.box }, "", p.narrow ? 30 : p.x(0), p.y.x, "value", "gradient"));
  put(picture, ...parts);
}

/** A box with its number above and its gradient below; false where it is not known yet. */
function node(p, name, x, y, value, gradient) {
  const write = (known, dy, look) =>
    svg("text", { class: `ex-middle ${look}`, x, y: y + dy }, known === false ? "·" : Number.isFinite(known) ? number(known, p.digits) : known);
  const [left, top] = [x - p.box / 2, y - p.tall / 2];
  const isPre = name.startsWith("a"); // its corner above has the square of W_h
  const at = p.narrow
    ? { x: left + 14, y: isPre ? top + p.tall + 14 : top - 5 }
    : { x: left - 6, y: isPre ? top + p.tall - 6 : top + 14 };
  return [
    svg("rect", { class: "ex-node", x: left, y: top, width: p.box, height: p.tall, rx: 5 }),
    write(value, -4.5, "ex-value"),
    write(gradient, 12.5, "ex-gradient"),
    svgSymbol(name, { class: "ex-end ex-halo", ...at }),
  ];
}
