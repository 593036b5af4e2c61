/** The toy of Dirichlet flow matching: letters drawn apart at each place, by shares of the class, anew for each batch. */
import type { DataSource } from "../../../index.ts";
import { defineData, ops } from "../../../networks.ts";
import { numberOfShare, randomNumbers } from "../random-numbers.ts";
import type { Letters } from "./spectra.ts";

export interface ToyShares {
  /** Row-major [classes, places, letters]; each place's sum to 1. */
  readonly values: Float64Array;
  readonly classes: number;
  readonly places: number;
  readonly letters: number;
}

/** softmax(sharpness U), U uniform in [0, 1): with a sharpness of 1, the toy's own, no letter is e times as likely as another. */
export function drawShares(sizes: Omit<ToyShares, "values">, sharpness: number, seed: number): ToyShares {
  const { classes, places, letters } = sizes;
  const uniforms = randomNumbers("uniform", classes * places * letters, seed);
  const values = Float64Array.from(uniforms, (uniform) => Math.exp(sharpness * uniform));
  for (let first = 0; first < values.length; first += letters) {
    const own = values.subarray(first, first + letters);
    const sum = own.reduce((a, b) => a + b, 0);
    own.forEach((value, k) => {
      own[k] = value / sum;
    });
  }
  return { ...sizes, values };
}

/** The shares of a class, [places, letters]. */
export function sharesOfClass({ values, places, letters }: ToyShares, kind: number): Float64Array {
  return values.subarray(kind * places * letters, (kind + 1) * places * letters);
}

/** Endless sequences [places, letters] with their class as the condition `kind`, drawn on the device. */
export function toyData(shares: ToyShares): DataSource {
  const { values, classes, places, letters } = shares;
  const until = new Float32Array(values.length);
  const before = new Float32Array(values.length);
  for (let first = 0; first < values.length; first += letters) {
    let sum = 0;
    for (let k = first; k < first + letters; k++) {
      before[k] = sum;
      sum += values[k] as number;
      until[k] = k === first + letters - 1 ? 2 : sum; // above any uniform number, however sums are rounded
    }
  }
  const shape = [classes, places * letters];
  return defineData({
    name: `letters by shares, ${classes} classes`,
    shape: [places, letters],
    conditions: { kind: { shape: [], classes } },
    state: { before: { values: before, shape }, until: { values: until, shape } },
    draw({ rows, random, state }) {
      const kind = random("index", [rows], { bound: classes });
      const limits = (name: string) => ops.reshape(ops.gather(state(name), kind), [rows, places, letters]);
      const uniform = random("uniform", [rows, places, 1]);
      const points = ops.subtract(ops.less(uniform, limits("until")), ops.less(uniform, limits("before")));
      return { points, conditions: { kind } };
    },
  });
}

/** Letters of a class drawn by its own shares, on the host. */
export function drawLetters(shares: ToyShares, kind: number, count: number, seed: number): Letters {
  const { places, letters } = shares;
  const own = sharesOfClass(shares, kind);
  const uniforms = randomNumbers("uniform", count * places, seed);
  const values = Uint8Array.from({ length: count * places }, (_, i) => {
    const first = (i % places) * letters;
    return numberOfShare(own.subarray(first, first + letters), uniforms[i] as number);
  });
  return { values, count, places };
}
