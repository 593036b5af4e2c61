/**
 * Convolutions by their definition: loops over places, taps and channels that add one product at a time, in f64. A value is
 * linear in x, in the weight and in the bias, so tangents and gradients are loops over the same products. No op computes here.
 */
import type { Shape } from "../../src/graph/node.ts";

export interface Options {
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
}

/** [B, H, W, inputs] and [down, across, inputs, outputs]; a sequence is an image of height 1. */
interface Sizes {
  readonly x: readonly [number, number, number, number];
  readonly weight: readonly [number, number, number, number];
  /** Places of the result. */
  readonly places: readonly [number, number];
}

/** How many places a window of so many taps has, counted: for as long as its last tap is within the padded input. */
function placesOf(size: number, taps: number, { stride = 1, padding = 0, dilation = 1 }: Options): number {
  let places = 0;
  while (places * stride + (taps - 1) * dilation < size + 2 * padding) places++;
  return places;
}

function sizesOf(x: Shape, weight: Shape, options: Options): Sizes {
  const isSequence = x.length === 3;
  const [batch, height, width, inputs] = (isSequence ? [x[0], 1, x[1], x[2]] : x) as Sizes["x"];
  const [down, across, from, outputs] = (isSequence ? [1, ...weight] : weight) as Sizes["weight"];
  const tall = isSequence ? 1 : placesOf(height, down, options);
  return {
    x: [batch, height, width, inputs],
    weight: [down, across, from, outputs],
    places: [tall, placesOf(width, across, options)],
  };
}

/** For each product of the sum: where its factors lie in x and in the weight, and where it is added in y. */
function eachProduct(
  { x, weight, places }: Sizes,
  { stride = 1, padding = 0, dilation = 1 }: Options,
  isSequence: boolean,
  visit: (x: number, weight: number, y: number) => void,
): void {
  const [batch, height, width, inputs] = x;
  const [down, across, , outputs] = weight;
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < places[0]; i++) {
      for (let j = 0; j < places[1]; j++) {
        for (let u = 0; u < down; u++) {
          for (let v = 0; v < across; v++) {
            const row = isSequence ? 0 : i * stride + u * dilation - padding;
            const column = j * stride + v * dilation - padding;
            if (row < 0 || row >= height || column < 0 || column >= width) continue; // zeros around
            for (let c = 0; c < inputs; c++) {
              for (let o = 0; o < outputs; o++) {
                visit(
                  ((b * height + row) * width + column) * inputs + c,
                  ((u * across + v) * inputs + c) * outputs + o,
                  ((b * places[0] + i) * places[1] + j) * outputs + o,
                );
              }
            }
          }
        }
      }
    }
  }
}

/** Values of x, of a weight and of a bias, which may be left out. */
export interface Given {
  readonly x: Float64Array;
  readonly weight: Float64Array;
  readonly bias?: Float64Array | undefined;
}

/** A convolution of these shapes: its value, and the gradients of <cotangent, value> by each input. */
export function definition(x: Shape, weight: Shape, options: Options) {
  const sizes = sizesOf(x, weight, options);
  const isSequence = x.length === 3;
  const outputs = sizes.weight[3];
  const shape = [sizes.x[0], ...(isSequence ? [] : [sizes.places[0]]), sizes.places[1], outputs];
  const each = (visit: (x: number, weight: number, y: number) => void) =>
    eachProduct(sizes, options, isSequence, visit);
  return {
    shape,
    value({ x, weight, bias }: Given): Float64Array {
      const y = new Float64Array(shape.reduce((product, size) => product * size, 1));
      for (let i = 0; i < y.length; i++) y[i] = bias?.[i % outputs] ?? 0;
      each((at, tap, to) => {
        y[to] = (y[to] as number) + (x[at] as number) * (weight[tap] as number);
      });
      return y;
    },
    gradients({ x, weight, bias }: Given, cotangent: Float64Array): Given {
      const [byX, byWeight] = [new Float64Array(x.length), new Float64Array(weight.length)];
      each((at, tap, to) => {
        byX[at] = (byX[at] as number) + (cotangent[to] as number) * (weight[tap] as number);
        byWeight[tap] = (byWeight[tap] as number) + (cotangent[to] as number) * (x[at] as number);
      });
      if (!bias) return { x: byX, weight: byWeight };
      const byBias = new Float64Array(bias.length);
      for (let i = 0; i < cotangent.length; i++) {
        byBias[i % outputs] = (byBias[i % outputs] as number) + (cotangent[i] as number);
      }
      return { x: byX, weight: byWeight, bias: byBias };
    },
  };
}
