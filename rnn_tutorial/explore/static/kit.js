// The parts that all figures are made of: SVG, controls, dragging, numbers, the text for screen
// readers, and mounting. A figure is a module with `export function mount(root, data)`, which
// returns { values(), unmount() }.

const SVG = "http://www.w3.org/2000/svg";

// ---- elements -----------------------------------------------------------------------------------

/** An HTML element. Attributes that are functions are listeners: {onclick: f}; null is left out. */
export function html(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Set attributes of an element, such as {x: 3}; null removes one. */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

/** Replace the children of an element. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat());
  return element;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.replace(/^on/, ""), value);
    else set(element, { [name]: value });
  }
  element.append(...children.flat());
  return element;
}

/** A name that is used once in the page, for id attributes. */
export function uniqueId(prefix) {
  return `${prefix}-${Math.random().toString(36).slice(2, 10)}`;
}

/** A drawing of width x height units; `label` says in a few words what it shows. */
export function drawing(width, height, label, ...children) {
  const box = { class: "ex-drawing", viewBox: `0 0 ${width} ${height}`, role: "img" };
  return svg("svg", { ...box, "aria-label": label }, ...children);
}

// ---- symbols and numbers ------------------------------------------------------------------------

/** Cut "dh_3" or "W_{h,ik}" into [text, subscript] pairs. */
function symbolParts(text) {
  return [...text.matchAll(/([^_]+)(?:_(?:\{([^}]*)\}|([^\s_]+)))?/g)].map((m) => [
    m[1],
    m[2] ?? m[3] ?? "",
  ]);
}

/** A mathematical name as HTML: symbol("dW_h"). */
export function symbol(text) {
  const parts = symbolParts(text).map(([base, below]) =>
    below ? [html("i", {}, base), html("sub", {}, below)] : [html("i", {}, base)],
  );
  return html("span", { class: "ex-symbol" }, ...parts.flat());
}

/** A mathematical name as SVG text at (x, y): svgSymbol("h_1", {x, y, class: "ex-middle"}). */
export function svgSymbol(text, attributes = {}) {
  const node = svg("text", { ...attributes, class: `ex-math ${attributes.class ?? ""}` });
  for (const [base, below] of symbolParts(text)) {
    node.append(svg("tspan", {}, base));
    if (below) {
      node.append(svg("tspan", { class: "ex-below", dy: "0.28em" }, below));
      node.append(svg("tspan", { dy: "-0.2em" }, "\u200b"));
    }
  }
  return node;
}

/** A number with fixed digits and a true minus sign; -0.00 is 0.00. */
export function number(value, digits = 2) {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "\u2212");
}

// ---- scales and lines ---------------------------------------------------------------------------

/** The linear map from `domain` to `range`, with `.range` and `.invert`. */
export function scale([a, b], [c, d]) {
  const map = (value) => c + ((value - a) * (d - c)) / (b - a);
  map.range = [c, d];
  map.invert = (place) => a + ((place - c) * (b - a)) / (d - c);
  return map;
}

/** The nearest number to `value` in [low, high]. */
export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

/** `count` numbers from `low` to `high`. */
export function linspace(low, high, count) {
  return Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
}

/** The `d` of a path through points [[x, y], ...]. */
export function line(points) {
  return points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
}

/**
 * Axes as one group: a grid line and a label at each tick. The lines fill the ranges of the scales.
 * {x, y}: scales; {xTicks, yTicks}: numbers; {xName, yName}: symbols; digits of the labels.
 */
export function axes({ x, y, xTicks, yTicks, xName, yName, xDigits = 1, yDigits = 1 }) {
  const [left, right] = x.range;
  const [bottom, top] = y.range;
  const across = yTicks.map((v) => [
    svg("line", { class: "ex-grid", x1: left, x2: right, y1: y(v), y2: y(v) }),
    svg("text", { class: "ex-tick ex-end", x: left - 8, y: y(v) + 4 }, number(v, yDigits)),
  ]);
  const up = xTicks.map((v) => [
    svg("line", { class: "ex-grid", x1: x(v), x2: x(v), y1: top, y2: bottom }),
    svg("text", { class: "ex-tick ex-middle", x: x(v), y: bottom + 18 }, number(v, xDigits)),
  ]);
  const names = [
    svgSymbol(xName, { class: "ex-middle", x: (left + right) / 2, y: bottom + 38 }),
    svgSymbol(yName, { class: "ex-end", x: left - 8, y: top - 12 }),
  ];
  return svg("g", { "aria-hidden": "true" }, ...across.flat(), ...up.flat(), ...names);
}

/** A marker for the end of a line, in a <defs>; use it as marker-end: `url(#${id})`. */
export function arrowhead(id, className) {
  const shape = svg("path", { d: "M0 0.8 L8 4 L0 7.2 Z", class: className });
  const box = { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7 };
  return svg("marker", { ...box, orient: "auto-start-reverse", markerUnits: "userSpaceOnUse" }, shape);
}

// ---- controls -----------------------------------------------------------------------------------

/**
 * A slider with its name and its number. Returns {element, value()/set(value)}.
 * `name` is a symbol, `label` the words that say what it is.
 */
export function slider({ name, label, min, max, step, value, digits = 2, onInput }) {
  const shown = html("span", { class: "ex-number", "aria-hidden": "true" });
  const words = name ? `${label} ${name.replace("_", " ")}` : label;
  const input = html("input", { type: "range", min, max, step, value, "aria-label": words });
  const show = () => {
    shown.textContent = number(Number(input.value), digits);
    input.setAttribute("aria-valuetext", number(Number(input.value), digits));
  };
  input.addEventListener("input", () => {
    show();
    onInput(Number(input.value));
  });
  show();
  const title = html("span", { class: "ex-label" }, `${label} `, name ? symbol(name) : "");
  const element = html("label", { class: "ex-control ex-slider" }, title, shown, input);
  return {
    element,
    input,
    value: () => Number(input.value),
    set(next) {
      input.value = next;
      show();
    },
  };
}

/** One of a few: native radio buttons that look like one bar. options: [[value, words], ...]. */
export function choice({ label, options, value, onInput }) {
  const group = uniqueId("choice");
  const inputs = options.map(([own]) =>
    html("input", {
      type: "radio",
      name: group,
      value: own,
      checked: own === value,
      onchange: () => onInput(own),
    }),
  );
  const items = options.map(([, words], i) =>
    html("label", { class: "ex-option" }, inputs[i], html("span", {}, words)),
  );
  const legend = html("legend", { class: "ex-label" }, label);
  const bar = html("div", { class: "ex-options" }, ...items);
  return {
    element: html("fieldset", { class: "ex-control" }, legend, bar),
    value: () => inputs.find((input) => input.checked)?.value,
    set(next) {
      for (const input of inputs) input.checked = input.value === String(next);
    },
  };
}

/** One of many: a native select. */
export function select({ label, options, value, onInput }) {
  const items = options.map(([own, words]) =>
    html("option", { value: own, selected: own === value }, words),
  );
  const input = html("select", { onchange: () => onInput(input.value) }, ...items);
  return {
    element: html("label", { class: "ex-control" }, html("span", { class: "ex-label" }, label), input),
    value: () => input.value,
    set(next) {
      input.value = next;
    },
  };
}

/** A line of text. */
export function textField({ label, value, maxLength, onInput }) {
  const plain = { autocomplete: "off", autocapitalize: "off", spellcheck: "false" };
  const listen = { oninput: () => onInput(input.value) };
  const input = html("input", { type: "text", value, maxlength: maxLength, ...plain, ...listen });
  return {
    element: html("label", { class: "ex-control ex-field" }, html("span", { class: "ex-label" }, label), input),
    value: () => input.value,
    set(next) {
      input.value = next;
    },
  };
}

/** On or off. */
export function toggle({ label, checked = false, onInput }) {
  const input = html("input", { type: "checkbox", checked, onchange: () => onInput(input.checked) });
  return {
    element: html("label", { class: "ex-control ex-toggle" }, input, html("span", {}, label)),
    value: () => input.checked,
    set(next) {
      input.checked = next;
    },
  };
}

/** A button. */
export function button(words, onClick, attributes = {}) {
  return html("button", { type: "button", class: "ex-button", onclick: onClick, ...attributes }, words);
}

/**
 * Steps 0 ... count - 1 with two buttons and a slider; `words(i)` says where one is.
 * set(next, count) also changes how many steps there are.
 */
export function stepper({ label, count, value = 0, words, onInput }) {
  let at = value;
  let last = count - 1;
  const where = html("span", { class: "ex-where" });
  const move = (next) => {
    show(clamp(next, 0, last));
    onInput(at);
  };
  const back = button("‹", () => move(at - 1), { "aria-label": `${label}: back` });
  const on = button("›", () => move(at + 1), { "aria-label": `${label}: on` });
  const input = html("input", { type: "range", min: 0, max: last, step: 1, "aria-label": label });
  input.addEventListener("input", () => move(Number(input.value)));
  const show = (next, steps = last + 1) => {
    at = next;
    last = steps - 1;
    input.max = last;
    input.value = at;
    input.setAttribute("aria-valuetext", words(at));
    where.textContent = words(at);
    set(back, { "aria-disabled": at === 0 ? "true" : null });
    set(on, { "aria-disabled": at === last ? "true" : null });
  };
  show(value);
  return {
    element: html("div", { class: "ex-control ex-stepper" }, back, input, on, where),
    value: () => at,
    set: show,
  };
}

/**
 * Let a finger, a pen or the main button of a mouse drag an SVG element. `onMove([x, y])` is given the place in the units of the
 * drawing. Keyboards use the slider of the same number.
 */
export function drag(element, onMove) {
  const place = (event) => {
    const box = element.ownerSVGElement ?? element;
    const point = new DOMPoint(event.clientX, event.clientY);
    const { x, y } = point.matrixTransform(box.getScreenCTM().inverse());
    onMove([x, y]);
  };
  element.classList.add("ex-drag");
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    event.preventDefault();
    place(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) place(event);
  });
}

/** Words that a screen reader says when they change; a sighted reader sees them as a caption. */
export function readout() {
  const seen = html("p", { class: "ex-readout", "aria-hidden": "true" });
  const said = html("p", { class: "ex-said", role: "status", "aria-live": "polite" });
  let timer = 0;
  return {
    element: html("div", {}, seen, said),
    /** Show the words at once, and say them when the reader rests. */
    say(...words) {
      put(seen, ...words);
      clearTimeout(timer);
      timer = setTimeout(() => (said.textContent = seen.textContent), 400);
    },
    stop: () => clearTimeout(timer),
  };
}

/** Whether the reader asked for less motion. */
export function reducedMotion() {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Call `draw(width)` now and when the width of an element changes; returns a function that stops. */
export function watchWidth(element, draw) {
  let width = 0;
  const observer = new ResizeObserver(() => {
    const now = Math.round(element.clientWidth);
    if (now && now !== width) draw((width = now));
  });
  observer.observe(element);
  return () => observer.disconnect();
}

// ---- layout -------------------------------------------------------------------------------------

/** The parts of a figure, one under the other: controls, drawings next to each other, words. */
export function layout(root, { controls = [], drawings = [], words = [] }) {
  put(
    root,
    html("div", { class: "ex-controls" }, ...controls),
    html("div", { class: "ex-drawings" }, ...drawings.map(panel)),
    ...words,
  );
}

/** Drawings in a row get widths in proportion, so that their units are equally large. */
function panel(drawing) {
  const width = drawing.viewBox?.baseVal?.width || 360;
  return html("div", { class: "ex-panel", style: `flex: ${width} 1 ${0.78 * width}px` }, drawing);
}

// ---- data ---------------------------------------------------------------------------------------

/** The array that `weights.py` has packed: {shape, data: Float64Array}. */
export function unpack({ dtype, shape, base64 }) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const [size, read] = {
    float16: [2, (i) => half(view.getUint16(2 * i, true))],
    float32: [4, (i) => view.getFloat32(4 * i, true)],
    float64: [8, (i) => view.getFloat64(8 * i, true)],
  }[dtype];
  return { shape, data: Float64Array.from({ length: bytes.length / size }, (_, i) => read(i)) };
}

/** Parameters that `pack_tree` has packed: a matrix is an array of rows, as in `nets.js`. */
export function unpackTree(packed) {
  if (Array.isArray(packed)) return packed.map(unpackTree);
  if (!packed.base64) {
    return Object.fromEntries(Object.entries(packed).map(([name, part]) => [name, unpackTree(part)]));
  }
  const { shape, data } = unpack(packed);
  if (shape.length === 1) return data;
  return Array.from({ length: shape[0] }, (_, k) => data.subarray(k * shape[1], (k + 1) * shape[1]));
}

/** The number whose sixteen bits are given. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24);
}

// ---- mounting -----------------------------------------------------------------------------------

function mountIn(place, name, mount, data) {
  // JupyterLab has shortcuts for the arrow keys, except on an element with this attribute.
  const keepKeys = ({ target }) => set(target, { "data-lm-suppress-shortcuts": "true" });
  const root = html("div", { class: "ex", "data-figure": name, onfocusin: keepKeys });
  place.append(root);
  try {
    root.explorable = mount(root, data);
  } catch (error) {
    root.remove();
    throw error;
  }
  return root;
}

/** The `render` of a widget. */
function renderWith(name, mount) {
  return ({ model, el }) => {
    const root = mountIn(el, name, mount, model.get("data"));
    return () => root.explorable.unmount();
  };
}

/** Mount a figure in each of its places in the page, over the still picture there. */
function mountAll(name, mount, data) {
  for (const place of document.querySelectorAll(`[data-explorable="${name}"]`)) {
    mountIn(place, name, mount, data);
    place.querySelector(".ex-still")?.setAttribute("hidden", "");
  }
}
