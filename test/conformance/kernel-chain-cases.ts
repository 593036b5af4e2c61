/** Cases of chains, by what they hold: those that load parts of wider values are here. */
import type { KernelCase } from "./kernel-case.ts";
import { inOrder, loaded, normals, step } from "./kernel-chain-parts.ts";
import { columnCases } from "./kernel-column-cases.ts";
import { randomCases } from "./kernel-random-cases.ts";

/** Sizes and strides of axes, outermost first, as a chain of [B, ...] meets them; each with an offset into what it reads. */
const movedValues = [
  ["a row for each sample", [3, 7, 20], [20, 0, 1]],
  ["a part of a row for each sample", [5, 11, 32], [192, 0, 1]],
  ["a number for each sample and group", [3, 13, 4, 8], [4, 0, 1, 0]],
  ["the same, groups of three", [3, 13, 4, 3], [4, 0, 1, 0]],
  ["places twice as near", [2, 5, 2, 6, 2, 4], [30 * 4, 24, 0, 4, 0, 1]],
  ["heads", [3, 4, 17, 8], [17 * 96, 8, 96, 1]],
  ["four terms", [3, 2, 5, 2, 9, 3, 16], [8640, 0, 1728, 0, 192, 0, 1]],
  ["single elements", [5, 7, 3], [21, 0, 1]],
] as const;

function termsCases(): KernelCase[] {
  return movedValues.flatMap(([name, sizes, strides]) =>
    [0, 4, 5].map((start): KernelCase => {
      const count = sizes.reduce((product: number, size) => product * size, 1);
      const last = sizes.reduce((sum: number, size, axis) => sum + (size - 1) * strides[axis]!, 0);
      const [x, y] = [normals(start + last + 1), normals(count)];
      const element = (i: number) => {
        let [rest, at] = [i, start];
        for (let axis = sizes.length - 1; axis >= 0; axis--) {
          at += (rest % sizes[axis]!) * strides[axis]!;
          rest = Math.floor(rest / sizes[axis]!);
        }
        return at;
      };
      let divisor = count;
      const terms = sizes.map((modulus, axis) => {
        divisor /= modulus;
        return { divisor, modulus, stride: strides[axis]! };
      });
      const [first, ...others] = terms.reverse().filter(({ stride }) => stride !== 0);
      return {
        label: `chain: ${name}, from element ${start} on`,
        kernel: "elementwise",
        parameters: {},
        operands: {
          x: { dtype: "f32", values: x },
          y: { dtype: "f32", values: y },
          out: { dtype: "f32", expected: Float64Array.from(y, (value, i) => value + x[element(i)]!) },
        },
        chain: (place) => ({
          count,
          loads: [
            inOrder(place("y")),
            {
              placement: { ...place("x"), offset: place("x").offset + start, length: last + 1 },
              ...first!,
              terms: others,
              dtype: "f32",
            },
          ],
          steps: [{ function: "add", operands: [loaded(0), loaded(1)], dtype: "f32" }],
          stores: [{ placement: place("out"), source: step(0), dtype: "f32" }],
        }),
      };
    }),
  );
}

/** Made anew at each call. */
export const chainCases: Readonly<Record<string, () => KernelCase[]>> = {
  "strided chains": columnCases,
  "chains that load parts of wider values": termsCases,
  "random steps": randomCases,
};
