/** Cases of elementwise chains: every function on the ranges it must stand, and every way to load and store. */
import { elementwiseFunctions } from "../../src/kernels/elementwise.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import type { ElementwiseChain, ElementwiseOperand, Placement } from "../../src/schedule/program.ts";
import type { KernelCase } from "./kernel-case.ts";
import { elementwiseFunction } from "./kernel-oracle.ts";

const draws = new HostRandom(20_260_102);
let drawn = 0;
const COUNT = 331;

const between = (low: number, high: number, count = COUNT) =>
  draws.uniform(count, drawn++).map((u) => low + (high - low) * u);

const step = (index: number): ElementwiseOperand => ({ from: "step", index });
const loaded = (index: number): ElementwiseOperand => ({ from: "load", index });
const immediate = (value: number): ElementwiseOperand => ({ from: "constant", value });

/** Where |x| is tiny a wrong cancellation shows, where it is huge an overflow. */
const everywhere = [
  [-1e-3, 1e-3],
  [-1, 1],
  [-6, 6],
  [-30, 30],
  [-1000, 1000],
] as const;

/** Ranges of the operands of functions that are not defined, or not finite, everywhere. */
const ranges: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  sqrt: [
    [0, 1e-6],
    [0, 100],
  ],
  exp: [
    [-1e-3, 1e-3],
    [-2, 2],
    [-20, 0],
    [0, 88],
    [-200, -60],
  ],
  expm1: [
    [-1e-3, 1e-3],
    [-2, 2],
    [-100, 0],
    [0, 88],
  ],
  log: [
    [1e-30, 1e-20],
    [1e-3, 1],
    [0.999, 1.001],
    [1, 1e6],
  ],
  log1p: [
    [-1e-6, 1e-6],
    [-0.3, 0.5],
    [-0.999, 0],
    [0, 1e6],
  ],
  sin: [...everywhere, [-1e4, 1e4]],
  cos: [...everywhere, [-1e4, 1e4]],
};

function functionCases(): KernelCase[] {
  return Object.keys(elementwiseFunctions).flatMap((name) =>
    name === "toFloat" || name === "increment"
      ? [integerCase(name)]
      : (ranges[name] ?? everywhere).map(([low, high]) => functionCase(name, low, high)),
  );
}

/** out = f(a, b, c), elementwise, operands from the range. Some equal each other, and some are 0, for comparisons. */
function functionCase(name: string, low: number, high: number): KernelCase {
  const names = ["a", "b", "c"].slice(0, elementwiseFunctions[name]);
  const values = names.map(() => between(low, high));
  for (let i = 0; i < COUNT; i += 7) values[1]?.set([values[0]![i]!], i);
  if (name === "select") for (let i = 0; i < COUNT; i += 2) values[0]![i] = 0;
  if (name === "divide") values[1] = values[1]!.map((value) => (value < 0 ? value + low : value + high)); // not near 0
  const f = elementwiseFunction(name);
  return {
    label: `${name} for ${low} to ${high}`,
    kernel: "elementwise",
    parameters: {},
    operands: {
      ...Object.fromEntries(names.map((operand, k) => [operand, { dtype: "f32" as const, values: values[k]! }])),
      out: { dtype: "f32", expected: values[0]!.map((_, i) => f(...values.map((each) => each[i]!))) },
    },
    chain: (place) => ({
      count: COUNT,
      loads: names.map((operand) => direct(place(operand))),
      steps: [{ function: name, operands: names.map((_, k) => loaded(k)), dtype: "f32" }],
      stores: [{ placement: place("out"), source: step(0), dtype: "f32" }],
    }),
  };
}

function integerCase(name: "toFloat" | "increment"): KernelCase {
  const values = Uint32Array.from([0, 1, 2, 16_777_215, 0x7fffffff, 0xfffffffe, 0xffffffff]);
  const dtype = name === "toFloat" ? "f32" : "u32";
  return {
    label: `${name} of u32`,
    kernel: "elementwise",
    parameters: {},
    operands: {
      a: { dtype: "u32", values },
      out: { dtype, expected: name === "toFloat" ? values : values.map((value) => value + 1) },
    },
    chain: (place) => ({
      count: values.length,
      loads: [{ placement: place("a"), divisor: 1, modulus: values.length, dtype: "u32" }],
      steps: [{ function: name, operands: [loaded(0)], dtype }],
      stores: [{ placement: place("out"), source: step(0), dtype }],
    }),
  };
}

function direct(placement: Placement): ElementwiseChain["loads"][number] {
  return { placement, divisor: 1, modulus: placement.length, dtype: "f32" };
}

/** out = x + s, s being read by this divisor and modulus. */
function broadcastCase(label: string, count: number, length: number, divisor: number, modulus: number): KernelCase {
  const x = Float32Array.from({ length: count }, (_, i) => (i % 1009) / 1009);
  const s = between(-1, 1, length);
  return {
    label: `chain: ${label}`,
    kernel: "elementwise",
    parameters: {},
    operands: {
      x: { dtype: "f32", values: x },
      s: { dtype: "f32", values: s },
      out: {
        dtype: "f32",
        expected: Float64Array.from(x, (value, i) => value + s[Math.floor(i / divisor) % modulus]!),
      },
    },
    chain: (place) => ({
      count,
      loads: [direct(place("x")), { placement: place("s"), divisor, modulus, dtype: "f32" }],
      steps: [{ function: "add", operands: [loaded(0), loaded(1)], dtype: "f32" }],
      stores: [{ placement: place("out"), source: step(0), dtype: "f32" }],
    }),
  };
}

function chainCases(): KernelCase[] {
  const m = between(-1, 1, 1000);
  const g = between(-1, 1, 1000);
  const special = Float32Array.of(1, Number.NaN, Infinity, -Infinity, 3e38, 0, -0, 1e-40);
  const condition = Float32Array.of(1, 0, 0, 0, 1, 1, -2, 1e-3);
  return [
    broadcastCase("a scalar", 1000, 1, 1, 1),
    broadcastCase("a row", 35 * 17, 17, 1, 17),
    broadcastCase("a column", 35 * 17, 35, 17, 35),
    broadcastCase("a middle axis", 5 * 7 * 11, 7, 11, 7),
    broadcastCase("more than a workgroup row holds", 65_536 * 64 + 77, 64, 1, 64),
    {
      label: "chain: two stores, one of them in place, and immediates",
      kernel: "elementwise",
      parameters: {},
      operands: {
        m: { dtype: "f32", values: m, expected: Float64Array.from(m, (value, i) => 0.9 * value + 0.1 * g[i]!) },
        g: { dtype: "f32", values: g },
        root: {
          dtype: "f32",
          expected: Float64Array.from(m, (value, i) => Math.sqrt((0.9 * value + 0.1 * g[i]!) ** 2)),
        },
        filled: { dtype: "f32", expected: new Float64Array(1000).fill(-Infinity) },
      },
      chain: (place) => ({
        count: 1000,
        loads: [direct(place("m")), direct(place("g"))],
        steps: [
          { function: "multiply", operands: [loaded(0), immediate(0.9)], dtype: "f32" },
          { function: "multiply", operands: [immediate(0.1), loaded(1)], dtype: "f32" },
          { function: "add", operands: [step(0), step(1)], dtype: "f32" },
          { function: "multiply", operands: [step(2), step(2)], dtype: "f32" },
          { function: "sqrt", operands: [step(3)], dtype: "f32" },
        ],
        stores: [
          { placement: place("m"), source: step(2), dtype: "f32" },
          { placement: place("root"), source: step(4), dtype: "f32" },
          { placement: place("filled"), source: immediate(-Infinity), dtype: "f32" },
        ],
      }),
    },
    {
      label: "chain: finite, and select between NaN and numbers",
      kernel: "elementwise",
      parameters: {},
      operands: {
        x: { dtype: "f32", values: special },
        condition: { dtype: "f32", values: condition },
        isFinite: { dtype: "f32", expected: [1, 0, 0, 0, 1, 1, 1, 1] },
        chosen: { dtype: "f32", expected: Float64Array.from([1, 7, 7, 7, Math.fround(3e38), 0, -0, special[7]!]) },
      },
      tolerance: 1e-7, // 1e-40 may become 0
      chain: (place) => ({
        count: 8,
        loads: [direct(place("x")), direct(place("condition"))],
        steps: [
          { function: "finite", operands: [loaded(0)], dtype: "f32" },
          { function: "select", operands: [loaded(1), loaded(0), immediate(7)], dtype: "f32" },
        ],
        stores: [
          { placement: place("isFinite"), source: step(0), dtype: "f32" },
          { placement: place("chosen"), source: step(1), dtype: "f32" },
        ],
      }),
    },
    {
      label: "chain: u32 beside f32, selected and incremented in place",
      kernel: "elementwise",
      parameters: {},
      operands: {
        step: { dtype: "u32", values: [41], expected: [42] },
        ok: { dtype: "f32", values: [1] },
        kept: { dtype: "u32", expected: [5] },
        rate: { dtype: "f32", expected: [42 / 64] },
      },
      chain: (place) => ({
        count: 1,
        loads: [{ placement: place("step"), divisor: 1, modulus: 1, dtype: "u32" }, direct(place("ok"))],
        steps: [
          { function: "increment", operands: [loaded(0)], dtype: "u32" },
          { function: "select", operands: [loaded(1), step(0), loaded(0)], dtype: "u32" },
          { function: "toFloat", operands: [step(1)], dtype: "f32" },
          { function: "multiply", operands: [step(2), immediate(1 / 64)], dtype: "f32" },
          { function: "select", operands: [immediate(0), loaded(0), immediate(5)], dtype: "u32" },
        ],
        stores: [
          { placement: place("step"), source: step(1), dtype: "u32" },
          { placement: place("rate"), source: step(3), dtype: "f32" },
          { placement: place("kept"), source: step(4), dtype: "u32" },
        ],
      }),
    },
  ];
}

/** Made anew at each call. */
export const elementwiseCases: Readonly<Record<string, () => KernelCase[]>> = {
  "elementwise functions": functionCases,
  "elementwise chains": chainCases,
};
