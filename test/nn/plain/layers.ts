/**
 * PyTorch's layers once more, from their definitions: loops over plain arrays of f64, one sample at a time, weights in
 * PyTorch's layouts. Nothing of src/ computes here, so networks can be held against it.
 */
import type { TorchTensor } from "../../../src/nn/torch.ts";

export type Vector = readonly number[];
/** [row][column][channel]. */
export type Picture = readonly (readonly Vector[])[];
export type Weights = ReadonlyMap<string, TorchTensor>;

const tensorOf = (weights: Weights, name: string): TorchTensor => {
  const tensor = weights.get(name);
  if (!tensor) throw new Error(`no tensor ${name}`);
  return tensor;
};
const sumOf = (count: number, term: (i: number) => number): number => {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += term(i);
  return sum;
};
export const range = (count: number): number[] => [...new Array(count).keys()];
export const each = (picture: Picture, change: (pixel: Vector, row: number, column: number) => Vector): Picture =>
  picture.map((pixels, row) => pixels.map((pixel, column) => change(pixel, row, column)));
export const plus = (a: Vector, b: Vector): Vector => a.map((value, i) => value + (b[i] as number));
export const added = (a: Picture, b: Picture): Picture => each(a, (pixel, i, j) => plus(pixel, at(b, i, j)));
export const at = (picture: Picture, row: number, column: number): Vector =>
  (picture[row] as Vector[])[column] as Vector;
export const silu = (x: Vector): Vector => x.map((value) => value / (1 + Math.exp(-value)));
export const geluTanh = (x: Vector): Vector =>
  x.map((a) => 0.5 * a * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a ** 3))));
/** A vector in equal parts. */
export const chunk = (x: Vector, count: number): Vector[] =>
  range(count).map((part) => x.slice((part * x.length) / count, ((part + 1) * x.length) / count));

/** nn.Linear: y_o = b_o + sum_i W[o, i] x_i. A weight [o, i, 1] of nn.Conv1d is the same. */
export function linear(weights: Weights, name: string, x: Vector): Vector {
  const { shape, values } = tensorOf(weights, `${name}.weight`);
  const bias = tensorOf(weights, `${name}.bias`).values;
  const [outputs, inputs] = shape as [number, number];
  return range(outputs).map(
    (o) => (bias[o] as number) + sumOf(inputs, (i) => (values[o * inputs + i] as number) * (x[i] as number)),
  );
}

/** nn.Embedding. */
export function embedding(weights: Weights, name: string, label: number): Vector {
  const { shape, values } = tensorOf(weights, `${name}.weight`);
  const width = shape[1] as number;
  return [...values.subarray(label * width, (label + 1) * width)];
}

/** nn.Conv2d: y[i, j, o] = b_o + sum over c, u, v of W[o, c, u, v] x[i stride + u - padding, j stride + v - padding, c]. */
export function conv2d(weights: Weights, name: string, x: Picture, { stride = 1, padding = 0 } = {}): Picture {
  const { shape, values } = tensorOf(weights, `${name}.weight`);
  const bias = tensorOf(weights, `${name}.bias`).values;
  const [outputs, inputs, down, across] = shape as [number, number, number, number];
  const places = (size: number, taps: number) => Math.floor((size + 2 * padding - taps) / stride) + 1;
  return range(places(x.length, down)).map((i) =>
    range(places((x[0] as Vector[]).length, across)).map((j) =>
      range(outputs).map((o) => {
        let sum = bias[o] as number;
        for (let u = 0; u < down; u++) {
          for (let v = 0; v < across; v++) {
            const pixel = x[i * stride + u - padding]?.[j * stride + v - padding];
            if (!pixel) continue; // zeros around
            for (let c = 0; c < inputs; c++) {
              sum += (values[((o * inputs + c) * down + u) * across + v] as number) * (pixel[c] as number);
            }
          }
        }
        return sum;
      }),
    ),
  );
}

/** Mean and biased variance of these numbers, taken away and divided by. */
function normalized(values: Vector, epsilon: number): Vector {
  const mean = sumOf(values.length, (i) => values[i] as number) / values.length;
  const variance = sumOf(values.length, (i) => ((values[i] as number) - mean) ** 2) / values.length;
  return values.map((value) => (value - mean) / Math.sqrt(variance + epsilon));
}

/** nn.LayerNorm over a vector; without a name, without weight and bias. */
export function layerNorm(x: Vector, epsilon: number, weights?: Weights, name?: string): Vector {
  const normal = normalized(x, epsilon);
  if (!weights || name === undefined) return normal;
  const [scale, shift] = ["weight", "bias"].map((one) => tensorOf(weights, `${name}.${one}`).values);
  return normal.map((value, i) => value * (scale?.[i] as number) + (shift?.[i] as number));
}

/** nn.GroupNorm: each run of C / groups channels over all places. */
export function groupNorm(weights: Weights, name: string, x: Picture, groups: number, epsilon: number): Picture {
  const channels = at(x, 0, 0).length;
  const each1 = channels / groups;
  const [scale, shift] = ["weight", "bias"].map((one) => tensorOf(weights, `${name}.${one}`).values);
  const y = x.map((row) => row.map((pixel) => [...pixel]));
  for (let group = 0; group < groups; group++) {
    const own = (pixel: Vector) => pixel.slice(group * each1, (group + 1) * each1);
    const normal = normalized(x.flat().flatMap(own), epsilon);
    y.flat().forEach((pixel, place) => {
      for (let i = 0; i < each1; i++) {
        const c = group * each1 + i;
        pixel[c] = (normal[place * each1 + i] as number) * (scale?.[c] as number) + (shift?.[c] as number);
      }
    });
  }
  return y;
}

/** Of one head: softmax(q k^T / sqrt d) v, of L tokens each. */
export function attention(q: readonly Vector[], k: readonly Vector[], v: readonly Vector[]): Vector[] {
  return q.map((query) => {
    const scores = k.map((key) => sumOf(key.length, (i) => (query[i] as number) * (key[i] as number)));
    const exponentials = scores.map((score) => Math.exp(score / Math.sqrt(query.length)));
    const total = sumOf(exponentials.length, (i) => exponentials[i] as number);
    return range((v[0] as Vector).length).map((i) =>
      sumOf(v.length, (token) => ((exponentials[token] as number) * ((v[token] as Vector)[i] as number)) / total),
    );
  });
}

/** Times as numbers: cosines, then sines, of scale 10,000^(-j / count) t; frequencies are f32, as PyTorch's are. */
export function timeNumbers(t: number, count: number, scale = 1): Vector {
  const phases = range(count).map((j) => t * Math.fround(scale / 10_000 ** (j / count)));
  return [...phases.map(Math.cos), ...phases.map(Math.sin)];
}

/** nn.functional.interpolate by 2, nearest. */
export const enlarged = (x: Picture): Picture =>
  range(2 * x.length).map((i) => range(2 * (x[0] as Vector[]).length).map((j) => at(x, i >> 1, j >> 1)));

/** nn.AvgPool2d of 2. */
export const shrunk = (x: Picture): Picture =>
  range(x.length / 2).map((i) =>
    range((x[0] as Vector[]).length / 2).map((j) =>
      at(x, 2 * i, 2 * j).map(
        (value, c) =>
          (value +
            (at(x, 2 * i, 2 * j + 1)[c] as number) +
            (at(x, 2 * i + 1, 2 * j)[c] as number) +
            (at(x, 2 * i + 1, 2 * j + 1)[c] as number)) /
          4,
      ),
    ),
  );
