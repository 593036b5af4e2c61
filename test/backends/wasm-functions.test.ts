// Every elementwise function on WASM against the ops' f64 rules: its error over its range, and what it does with
// NaN and infinities.
import { beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createWasmBackend } from "../../src/backends/wasm/backend.ts";
import { activationKinds, elementwiseFunctions } from "../../src/kernels/elementwise.ts";
import { activation } from "../../src/ops/activation.ts";
import { ops } from "../../src/ops/registry.ts";
import { applyFunction, applyFunctions, builds, numbers } from "./wasm-calls.ts";

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Where a function is measured, and its bounds there: in units in the last place of each result, or absolute. */
interface Range {
  readonly low: number;
  readonly high: number;
  readonly ulps?: number;
  readonly absolute?: number;
  /** Powers of two from 2^low to 2^high, times numbers in [1, 2). */
  readonly exponents?: boolean;
}

const ranges: Readonly<Record<string, readonly Range[]>> = {
  negate: [{ low: -10, high: 10, ulps: 0 }],
  abs: [{ low: -10, high: 10, ulps: 0 }],
  sign: [{ low: -10, high: 10, ulps: 0 }],
  floor: [{ low: -100, high: 100, ulps: 0 }],
  finite: [{ low: -10, high: 10, ulps: 0 }],
  sqrt: [{ low: -126, high: 127, ulps: 0.51, exponents: true }],
  exp: [
    { low: -87, high: 88.7, ulps: 2 },
    { low: -1, high: 1, ulps: 2 },
  ],
  expm1: [
    { low: -20, high: 88.7, ulps: 3 },
    { low: -0.5, high: 0.5, ulps: 3 },
    { low: -30, high: -2, ulps: 3, exponents: true },
  ],
  log: [
    { low: -126, high: 127, ulps: 2, exponents: true },
    { low: -148, high: -127, ulps: 2, exponents: true },
    { low: 0.5, high: 2, ulps: 2 },
  ],
  log1p: [
    { low: -0.99, high: 2, ulps: 4 },
    { low: -30, high: 60, ulps: 4, exponents: true },
  ],
  sin: [
    { low: -1e4, high: 1e4, absolute: 2e-7 },
    { low: -4, high: 4, absolute: 1.2e-7 },
  ],
  cos: [
    { low: -1e4, high: 1e4, absolute: 2e-7 },
    { low: -4, high: 4, absolute: 1.2e-7 },
  ],
};

/** Of activations: relative to the largest value on [-8, 8]; to each value near 0 the function and f' are as good. */
const activationTolerance = 1e-6;

describe.each(builds)("elementwise functions, relaxed $relaxed", (options) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await createWasmBackend(options);
  });

  describe.each(Object.keys(ranges))("%s", (name) => {
    test.each(ranges[name]!)("from $low to $high", async ({ low, high, ulps, absolute, exponents }) => {
      const x = numbers(20_011, 1).map((number) => {
        const between = low + ((high - low) * (number + 1)) / 2;
        return exponents ? 2 ** between : between;
      });
      const y = await applyFunction(backend, name, [x]);
      const expected = reference(name, [x]);
      let worst = 0;
      for (let i = 0; i < x.length; i++) {
        const unit = absolute === undefined ? unitInLastPlace(expected[i]!) : 1;
        worst = Math.max(worst, Math.abs(y[i]! - expected[i]!) / unit);
      }
      expect(y.every(Number.isFinite)).toBe(true);
      expect(worst).toBeLessThanOrEqual(absolute ?? ulps!);
    });
  });

  describe.each(activationKinds)("%s", (kind) => {
    test.each([0, 1, 2, 3])("order %i", async (order) => {
      for (const [low, high] of [
        [-8, 8],
        [-90, 90],
        [-1e-3, 1e-3],
      ] as const) {
        const x = numbers(5003, 2).map((number) => low + ((high - low) * (number + 1)) / 2);
        const y = await applyFunction(backend, `${kind}${order}`, [x]);
        const expected = activationReference(kind, order, x);
        const scale = Math.max(...expected.map(Math.abs)) || 1;
        const worst = Math.max(...expected.map((value, i) => Math.abs(value - y[i]!))) / scale;
        expect(worst, `on [${low}, ${high}]`).toBeLessThan(activationTolerance);
      }
    });

    test.each(["01", "12", "012"])("orders %s of one operand have the bits that each has alone", async (orders) => {
      const x = numbers(1027, 5).map((number) => 6 * number); // two blocks and a rest of three
      const functions = [...orders].map((order) => `${kind}${order}`);
      const together = await applyFunctions(backend, functions, x);
      for (const [i, name] of functions.entries())
        expect(together[i], name).toEqual(await applyFunction(backend, name, [x]));
    });

    test("far out every derivative is a number", async () => {
      const x = Float32Array.of(-1e30, -1e10, -1e4, -200, 200, 1e4);
      for (const order of kind === "sin" ? [] : [0, 1, 2, 3]) {
        const y = await applyFunction(backend, `${kind}${order}`, [x]);
        const expected = activationReference(kind, order, x);
        expected.forEach((value, i) => {
          const error = Math.abs(y[i]! - value) / Math.max(1, Math.abs(value));
          expect(error, `order ${order} at ${x[i]}`).toBeLessThan(1e-6);
        });
      }
    });
  });

  test.each(["add", "subtract", "multiply", "divide", "minimum", "maximum", "less", "lessEqual", "equal"])(
    "%s is rounded correctly",
    async (name) => {
      const a = numbers(1003, 3);
      const b = numbers(1003, 4).map((value, i) => (i % 5 === 0 ? a[i]! : value));
      const expected = Float32Array.from(reference(name, [a, b]));
      expect(await applyFunction(backend, name, [a, b])).toEqual(expected);
    },
  );

  test("select lets nothing of the other operand through", async () => {
    const condition = Float32Array.of(1, 0, -2, 0, nan);
    const a = Float32Array.of(1, nan, 3, inf, 5);
    const b = Float32Array.of(nan, 2, -inf, 4, nan);
    expect([...(await applyFunction(backend, "select", [condition, a, b]))]).toEqual([1, 2, 3, 4, 5]);
  });

  test("u32: increment wraps, toFloat rounds", async () => {
    const x = Uint32Array.of(0, 7, 2 ** 24 + 1, 2 ** 31, 2 ** 32 - 1);
    const more = await applyFunction(backend, "increment", [x], { operands: "u32", result: "u32" });
    expect([...more]).toEqual([1, 8, 2 ** 24 + 2, 2 ** 31 + 1, 0]);
    const floats = await applyFunction(backend, "toFloat", [x], { operands: "u32" });
    expect([...floats]).toEqual([0, 7, 2 ** 24, 2 ** 31, 2 ** 32]);
  });

  test("NaN and infinities", async () => {
    const at = async (name: string, ...x: number[]) => [
      ...(await applyFunction(backend, name, [Float32Array.from(x)])),
    ];
    expect(await at("finite", nan, inf, -inf, 3.4e38, 1e-45, 0)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(await at("exp", nan, inf, -inf, 89, -104, 0)).toEqual([nan, inf, 0, inf, 0, 1]);
    expect(await at("expm1", nan, inf, -inf, 0, 100)).toEqual([nan, inf, -1, 0, inf]);
    expect(await at("log", nan, inf, -inf, 0, -0, -1, 1)).toEqual([nan, inf, nan, -inf, -inf, nan, 0]);
    expect(await at("log1p", nan, inf, -1, -2, 0)).toEqual([nan, inf, -inf, nan, 0]);
    expect(await at("sqrt", nan, inf, -1, 0)).toEqual([nan, inf, nan, 0]);
    expect(await at("sign", nan, inf, -inf, 0)).toEqual([nan, 1, -1, 0]);
    expect(await at("sin", nan, inf, -inf)).toEqual([nan, nan, nan]);
    for (const kind of activationKinds) expect(await at(`${kind}0`, nan), kind).toEqual([nan]);
  });

  test("every function that chains may name is measured above", () => {
    const named = new Set([
      ...Object.keys(ranges),
      ...["add", "subtract", "multiply", "divide", "minimum", "maximum", "less", "lessEqual", "equal", "select"],
      ...["increment", "toFloat"],
      ...activationKinds.flatMap((kind) => [0, 1, 2, 3].map((order) => `${kind}${order}`)),
    ]);
    expect(Object.keys(elementwiseFunctions).filter((name) => !named.has(name))).toEqual([]);
  });
});

function reference(name: string, operands: readonly Float32Array[]): Float64Array {
  const { op } = ops.find((candidate) => candidate.op.name === name)!;
  const shape = [operands[0]!.length];
  const inputs = operands.map((values) => ({ shape, data: Float64Array.from(values) }));
  return op.reference(inputs, null, shape).data;
}

function activationReference(kind: (typeof activationKinds)[number], order: number, x: Float32Array): Float64Array {
  const shape = [x.length];
  return activation.op.reference([{ shape, data: Float64Array.from(x) }], { kind, order }, shape).data;
}

/** From an f32 of this size to the next. */
function unitInLastPlace(value: number): number {
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(value), 2 ** -126)));
  return 2 ** (exponent - 23);
}
