/** Cases of chains that draw random numbers. */
import { randomFunctions } from "../../src/kernels/elementwise.ts";
import { randomKinds } from "../../src/kernels/random.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import type { Placement } from "../../src/schedule/program.ts";
import type { KernelCase } from "./kernel-case.ts";
import { columnLoad, columnOf, loaded, normals, step } from "./kernel-chain-parts.ts";

export function randomCases(): KernelCase[] {
  const seed = [0x9e3779b9, 0xfedcba98] as const;
  const counter = 0xfffffffe;
  const host = new HostRandom(seed);
  const layouts = [
    { count: 1, stride: 1, offset: 0 },
    { count: 1, stride: 3, offset: 2 },
    { count: 9, stride: 1, offset: 1 },
    { count: 331, stride: 2, offset: 0 },
    { count: 331, stride: 2, offset: 1 },
    { count: 512, stride: 1, offset: 0 },
    { count: 1031, stride: 3, offset: 70_001 },
    { count: 1100, stride: 1, offset: 512 },
  ];
  const operands = {
    seed: { dtype: "u32" as const, values: seed },
    counter: { dtype: "u32" as const, values: [counter] },
  };
  const word = (placement: Placement, index: number) => ({
    placement: { ...placement, offset: placement.offset + index, length: 1 },
    divisor: 1,
    modulus: 1,
    dtype: "u32" as const,
  });
  const words = (place: (operand: string) => Placement) => [
    word(place("seed"), 0),
    word(place("seed"), 1),
    word(place("counter"), 0),
  ];
  const key = [loaded(0), loaded(1), loaded(2)];
  const numbers = (
    kind: (typeof randomKinds)[number],
    stream: number,
    bound: number,
    layout: (typeof layouts)[number],
  ) => {
    const { count, stride, offset } = layout;
    const all = host.draw(kind, (count - 1) * stride + offset + 1, stream, counter, bound);
    return Float64Array.from({ length: count }, (_, i) => all[i * stride + offset]!);
  };
  const alone = randomFunctions.flatMap((name, k) =>
    layouts.map((layout, i): KernelCase => {
      const kind = randomKinds[k]!;
      const stream = i % 2 ? 0xffffffff : 5;
      const bound = kind === "index" ? 3_000_000_019 : 0;
      const dtype = kind === "bits" || kind === "index" ? "u32" : "f32";
      const { count, stride, offset } = layout;
      return {
        label: `${name}: ${count} elements, every ${stride} from ${offset} on, stream ${stream}`,
        kernel: "elementwise",
        parameters: {},
        operands: { ...operands, out: { dtype, expected: numbers(kind, stream, bound, layout) } },
        // Normals are polynomials, where a backend may fuse a multiplication and an addition; all else is exact.
        tolerance: kind === "normal" ? 1e-6 : 0,
        chain: (place) => ({
          count,
          loads: words(place),
          steps: [{ function: name, operands: key, dtype, random: { stream, bound, stride, offset } }],
          stores: [{ placement: place("out"), source: step(0), dtype }],
        }),
      };
    }),
  );
  const count = 777;
  const x = normals(2 * count);
  const [first, second] = [0, 1].map((offset) => numbers("normal", 1, 0, { count, stride: 2, offset }));
  const time = numbers("uniform", 2, 0, { count, stride: 1, offset: 0 });
  return [
    ...alone,
    {
      label: "chain: a point on a path, its noise and time drawn in the chain, as rows of three",
      kernel: "elementwise",
      parameters: {},
      operands: {
        ...operands,
        x: { dtype: "f32", values: x },
        out: {
          dtype: "f32",
          expected: Float64Array.from({ length: 3 * count }, (_, i) => {
            const row = Math.floor(i / 3);
            const t = time[row]!;
            if (i % 3 === 2) return t;
            const noise = (i % 3 === 0 ? first! : second!)[row]!;
            return t * (x[2 * row + (i % 3)]! - noise) + noise;
          }),
        },
      },
      tolerance: 1e-6,
      chain: (place) => ({
        count,
        loads: [...words(place), columnLoad(place("x"), 0, 2), columnLoad(place("x"), 1, 2)],
        steps: [
          {
            function: "randomNormal",
            operands: key,
            dtype: "f32",
            random: { stream: 1, bound: 0, stride: 2, offset: 0 },
          },
          {
            function: "randomNormal",
            operands: key,
            dtype: "f32",
            random: { stream: 1, bound: 0, stride: 2, offset: 1 },
          },
          {
            function: "randomUniform",
            operands: key,
            dtype: "f32",
            random: { stream: 2, bound: 0, stride: 1, offset: 0 },
          },
          { function: "subtract", operands: [loaded(3), step(0)], dtype: "f32" },
          { function: "multiply", operands: [step(2), step(3)], dtype: "f32" },
          { function: "add", operands: [step(4), step(0)], dtype: "f32" },
          { function: "subtract", operands: [loaded(4), step(1)], dtype: "f32" },
          { function: "multiply", operands: [step(2), step(6)], dtype: "f32" },
          { function: "add", operands: [step(7), step(1)], dtype: "f32" },
        ],
        stores: [5, 8, 2].map((source, column) => ({
          placement: columnOf(place("out"), column, 3),
          source: step(source),
          stride: 3,
          dtype: "f32" as const,
        })),
      }),
    },
  ];
}
