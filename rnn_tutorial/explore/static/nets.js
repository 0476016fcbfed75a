// The mathematics of the package for a page: the same names, the same shapes, float64.
//
// A matrix is an array of rows, a row a Float64Array. x is (B, D) and h is (B, H): a row for
// each sequence of the batch. Parameters and states are objects with the fields of the package's
// NamedTuples, and all functions are pure. A test compares each of them with the package.

/** @typedef {Float64Array} Row */
/** @typedef {Row[]} Matrix */

/** Return 1 / (1 + exp(-a)). exp may overflow to infinity, whose reciprocal is 0. */
export const sigmoid = (a) => 1 / (1 + Math.exp(-a));

/** Return the flat numbers as a matrix with this number of columns; the rows are views.
 * @param {Float64Array} flat */
export function rows(flat, columns) {
  const count = flat.length / columns;
  return Array.from({ length: count }, (_, k) => flat.subarray(k * columns, (k + 1) * columns));
}

/** Return f of the entries at each place of up to four matrices, which have one shape. */
export function each(f, A, B, C, D) {
  return A.map((row, n) => {
    const values = new Float64Array(row.length);
    for (let k = 0; k < values.length; k++) values[k] = f(row[k], B?.[n][k], C?.[n][k], D?.[n][k]);
    return values;
  });
}

/** Return A @ B. */
export function matmul(A, B) {
  return A.map((row) => {
    const sums = new Float64Array(B[0].length);
    for (let k = 0; k < row.length; k++) {
      const a = row[k];
      const line = B[k];
      for (let j = 0; j < sums.length; j++) sums[j] += a * line[j];
    }
    return sums;
  });
}

/** Return A @ B^T. */
export function matmulTransposed(A, B) {
  return A.map((row) => {
    const sums = new Float64Array(B.length);
    for (let j = 0; j < B.length; j++) {
      const line = B[j];
      let sum = 0;
      for (let k = 0; k < line.length; k++) sum += row[k] * line[k];
      sums[j] = sum;
    }
    return sums;
  });
}

/** Return A^T. */
export function transpose(A) {
  const columns = Array.from({ length: A[0].length }, () => new Float64Array(A.length));
  for (let n = 0; n < A.length; n++) for (let k = 0; k < columns.length; k++) columns[k][n] = A[n][k];
  return columns;
}

/** Return the sum of the rows: (B, K) to (K,). */
export function sumOfRows(A) {
  const sums = new Float64Array(A[0].length);
  for (const row of A) for (let k = 0; k < sums.length; k++) sums[k] += row[k];
  return sums;
}

/** Return A with the row b added to each of its rows. */
export const plusRow = (A, b) => each((a, b) => a + b, A, Array(A.length).fill(b));

/** Return x @ W + b, the affine map of `Dense`. */
export const dense = ({ W, b }, x) => plusRow(matmul(x, W), b);

/** Return the rows E[index] of `Embedding`. */
export const embedding = ({ E }, indices) => Array.from(indices, (index) => E[index]);

/** Return exp(logits / temperature) / sum of exp(logits / temperature), row by row. */
export function softmax(logits, temperature = 1) {
  return logits.map((row) => {
    const largest = row.reduce((a, b) => Math.max(a, b));
    const e = Float64Array.from(row, (logit) => Math.exp((logit - largest) / temperature));
    const sum = e.reduce((a, b) => a + b);
    return e.map((value) => value / sum);
  });
}

/** Return {scores, weights, contexts} of the queries of one sequence in its memory.
 *
 * The scores are <q W, m> with a W in params (`general`), and <q, m> without (`dot`).
 * Shapes: queries (T, H), memory (S, M), scores and weights (T, S), contexts (T, M). */
export function attention({ W }, queries, memory) {
  const asked = W ? matmul(queries, W) : queries;
  const scores = matmulTransposed(asked, memory);
  const weights = softmax(scores);
  return { scores, weights, contexts: matmul(weights, memory) };
}

/** Return the equal blocks of the columns of a, by the names of the gates; they are views.
 * Shapes: a (B, G*H), each block (B, H). */
export function gateBlocks(a, names) {
  const H = a[0].length / names.length;
  const block = (k) => a.map((row) => row.subarray(k * H, (k + 1) * H));
  return Object.fromEntries(Array.from(names, (name, k) => [name, block(k)]));
}

/** Return the blocks side by side, in the order of the names: the inverse of `gateBlocks`. */
export function joinBlocks(blocks, names) {
  const parts = Array.from(names, (name) => blocks[name]);
  const H = parts[0][0].length;
  return parts[0].map((_, n) => {
    const row = new Float64Array(parts.length * H);
    parts.forEach((part, k) => row.set(part[n], k * H));
    return row;
  });
}

/** Return {state, cache} of h = tanh(x @ W_x + h_previous @ W_h + b). */
export function elmanStep(params, x, state) {
  const sum = each((p, q) => p + q, matmul(x, params.W_x), matmul(state.h, params.W_h));
  const a = plusRow(sum, params.b);
  const h = each(Math.tanh, a);
  return { state: { h }, cache: { x, previous: state, a, h } };
}

/** Return {dparams, dx, dprevious, da} from the gradient of the new state. */
export function elmanStepBackward(params, cache, dstate) {
  const da = each((dh, h) => dh * (1 - h ** 2), dstate.h, cache.h);
  const { dx, dh, ...dparams } = affineBackward(params, cache, da, da);
  return { dparams, dx, dprevious: { h: dh }, da };
}

/** Return the gradients of x @ W_x + b and h_previous @ W_h from those of the two sums. */
function affineBackward(params, cache, da_x, da_h) {
  return {
    W_x: matmul(transpose(cache.x), da_x),
    W_h: matmul(transpose(cache.previous.h), da_h),
    b: sumOfRows(da_x),
    dx: matmulTransposed(da_x, params.W_x),
    dh: matmulTransposed(da_h, params.W_h),
  };
}

/** Return {state, cache} of one step of the LSTM; the gates are side by side as i, f, o, g. */
export function lstmStep(params, x, state) {
  const sum = each((p, q) => p + q, matmul(x, params.W_x), matmul(state.h, params.W_h));
  const a = gateBlocks(plusRow(sum, params.b), "ifog"); // (10.1)
  const i = each(sigmoid, a.i); // (10.2)
  const f = each(sigmoid, a.f);
  const o = each(sigmoid, a.o);
  const g = each(Math.tanh, a.g); // (10.3)
  const c = each((f, c, i, g) => f * c + i * g, f, state.c, i, g); // (10.4)
  const tanh_c = each(Math.tanh, c);
  const h = each((o, tanh_c) => o * tanh_c, o, tanh_c); // (10.5)
  return { state: { h, c }, cache: { x, previous: state, a, i, f, o, g, c, tanh_c, h } };
}

/** The lines of `lstmStepBackward` in which no matrix is, in their order. Each is a function of
 * the values v of one unit and of the gradients d so far: d.h and d.c_next arrive. */
export const LSTM_LINES = {
  o: (v, d) => d.h * v.tanh_c, // (10.11)
  tanh_c: (v, d) => d.h * v.o, // (10.12)
  c_up: (v, d) => d.tanh_c * (1 - v.tanh_c ** 2), // (10.13)
  c: (v, d) => d.c_next + d.c_up, // (10.14)
  i: (v, d) => d.c * v.g, // (10.15)
  f: (v, d) => d.c * v.c_previous,
  g: (v, d) => d.c * v.i,
  c_previous: (v, d) => d.c * v.f,
  a_i: (v, d) => d.i * v.i * (1 - v.i), // (10.16)
  a_f: (v, d) => d.f * v.f * (1 - v.f),
  a_o: (v, d) => d.o * v.o * (1 - v.o),
  a_g: (v, d) => d.g * (1 - v.g ** 2),
};

/** Return {dparams, dx, dprevious, d} from the gradient of the new state.
 *
 * d has the gradient of every intermediate by its name, each (B, H). Other `lines` make another
 * backward: that is how a mistake is planted. */
export function lstmStepBackward(params, cache, dstate, lines = LSTM_LINES) {
  const names = Object.keys(lines);
  const d = { h: dstate.h, c_next: dstate.c };
  for (const name of names) d[name] = cache.c.map((row) => new Float64Array(row.length));
  const { i, f, o, g, tanh_c } = cache;
  const c_previous = cache.previous.c;
  for (let n = 0; n < i.length; n++) {
    for (let k = 0; k < i[n].length; k++) {
      const v = { i: i[n][k], f: f[n][k], o: o[n][k], g: g[n][k], tanh_c: tanh_c[n][k], c_previous: c_previous[n][k] };
      const slopes = { h: d.h[n][k], c_next: d.c_next[n][k] };
      for (const name of names) d[name][n][k] = slopes[name] = lines[name](v, slopes);
    }
  }
  const da = joinBlocks({ i: d.a_i, f: d.a_f, o: d.a_o, g: d.a_g }, "ifog");
  const { dx, dh, ...dparams } = affineBackward(params, cache, da, da); // (10.22), (10.23)
  return { dparams, dx, dprevious: { h: dh, c: d.c_previous }, d };
}

/** Return {state, cache} of one step of the GRU, reset after the matrix; gates as r, z, n. */
export function gruStep(params, x, state) {
  const a_x = gateBlocks(plusRow(matmul(x, params.W_x), params.b), "rzn");
  const a_h = gateBlocks(matmul(state.h, params.W_h), "rzn");
  const r = each((p, q) => sigmoid(p + q), a_x.r, a_h.r); // (12.3)
  const z = each((p, q) => sigmoid(p + q), a_x.z, a_h.z);
  const s = plusRow(a_h.n, params.b_hn); // (12.4)
  const n = each((a, r, s) => Math.tanh(a + r * s), a_x.n, r, s); // (12.5)
  const h = each((z, h, n) => z * h + (1 - z) * n, z, state.h, n); // (12.2)
  return { state: { h }, cache: { x, previous: state, r, z, n, s, h } };
}

/** Return {dparams, dx, dprevious, d} from the gradient of the new state. */
export function gruStepBackward(params, cache, dstate) {
  const { previous, r, z, n, s } = cache;
  const dz = each((dh, h, n) => dh * (h - n), dstate.h, previous.h, n);
  const dn = each((dh, z) => dh * (1 - z), dstate.h, z);
  const da_n = each((dn, n) => dn * (1 - n ** 2), dn, n);
  const dr = each((da_n, s) => da_n * s, da_n, s);
  const ds = each((da_n, r) => da_n * r, da_n, r);
  const da_r = each((dr, r) => dr * r * (1 - r), dr, r);
  const da_z = each((dz, z) => dz * z * (1 - z), dz, z);
  const da_x = joinBlocks({ r: da_r, z: da_z, n: da_n }, "rzn");
  const da_h = joinBlocks({ r: da_r, z: da_z, n: ds }, "rzn");
  const { dx, dh, ...dparams } = affineBackward(params, cache, da_x, da_h);
  const h = each((dh, z, through) => dh * z + through, dstate.h, z, dh);
  return {
    dparams: { ...dparams, b_hn: sumOfRows(ds) },
    dx,
    dprevious: { h },
    d: { z: dz, n: dn, r: dr, s: ds, a_n: da_n, a_r: da_r, a_z: da_z },
  };
}
