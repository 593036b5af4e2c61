/** Numbers and labels as vectors that a network can read, and how such a vector changes a layer. */
import { ConfigError } from "../errors.ts";
import { type Node, type Shape, sameShape, sizeOf } from "../graph/node.ts";
import { add, cos, floor, multiply, sin, subtract } from "./arithmetic.ts";
import { gather } from "./rows.ts";
import { concat, reshape } from "./shape.ts";
import { table } from "./sources.ts";

/**
 * A learned vector for each label.
 *
 * @param vectors - [N, D].
 * @param labels - [B], u32, below N.
 * @returns [B, D].
 */
export function embedding(vectors: Node, labels: Node): Node {
  return gather(vectors, labels);
}

/**
 * (sin(pi f t), cos(pi f t)) for each frequency f, its phase exact: f t rounded to f32 would be off by 1e-3 of a period
 * at f = 2e4.
 *
 * @param t - [B], from 0 to 1; where f is below 2^12, to 8.
 * @param frequencies - [F], in half turns per unit of t, of size below 2^15.
 * @returns [B, 2 F]: all sines, then all cosines.
 */
export function timeEmbedding(t: Node, frequencies: Node): Node {
  const integer = floor(frequencies);
  return waves(t, integer, subtract(frequencies, integer));
}

/** {@link timeEmbedding} of frequencies that are known on the host, with the digits of f64. */
export function fixedTimeEmbedding(t: Node, frequencies: readonly number[]): Node {
  const part = (of: (frequency: number) => number) => table(frequencies.map(of), [frequencies.length]);
  return waves(
    t,
    part(Math.floor),
    part((frequency) => frequency - Math.floor(frequency)),
  );
}

/** @param fraction - of each frequency beside its integer part, 0 to 1. */
function waves(t: Node, integer: Node, fraction: Node): Node {
  const times = reshape(t, [sizeOf(t.shape), 1]);
  const [whole, part] = [integer, fraction].map((x) => reshape(x, [1, sizeOf(x.shape)])) as [Node, Node];
  // t in pieces of 8 bits and the rest, f in its integer (15 bits) and the rest: the first products are exact in f32, and
  // so is what is left of them modulo 2; the others are small.
  const first = multiply(floor(multiply(times, 2 ** 8)), 2 ** -8);
  const second = multiply(floor(multiply(subtract(times, first), 2 ** 16)), 2 ** -16);
  const rest = subtract(subtract(times, first), second);
  const small = add(multiply(whole, rest), multiply(part, times));
  const phase = moduloTwo(add(add(moduloTwo(multiply(whole, first)), moduloTwo(multiply(whole, second))), small));
  const angle = multiply(phase, Math.PI);
  return concat([sin(angle), cos(angle)], 1);
}

/** x - 2 floor(x / 2), exact for what f32 holds exactly. */
function moduloTwo(x: Node): Node {
  return subtract(x, multiply(floor(multiply(x, 0.5)), 2));
}

/**
 * h (scale + 1) + bias, the same at every place (Perez et al., FiLM, 2018).
 *
 * @param h - [B, ..., C].
 * @param scale - [B, C]; bias likewise.
 * @throws {@link ConfigError} when shapes do not fit.
 */
export function film(h: Node, scale: Node, bias: Node): Node {
  const [batch, channels] = [h.shape[0] as number, h.shape.at(-1) as number];
  const expected: Shape = [batch, channels];
  if (h.shape.length < 2 || !sameShape(scale.shape, expected) || !sameShape(bias.shape, expected)) {
    throw new ConfigError({
      subject: "scale and bias of film",
      given: [scale.shape, bias.shape],
      expected: `[${expected.join(", ")}] for h [${h.shape.join(", ")}]`,
      remedy: "They have a row for each row of the batch, a column for each channel.",
    });
  }
  const places = h.shape.slice(1, -1).map(() => 1);
  const [by, to] = [scale, bias].map((x) => reshape(x, [batch, ...places, channels])) as [Node, Node];
  return add(multiply(h, add(by, 1)), to);
}
