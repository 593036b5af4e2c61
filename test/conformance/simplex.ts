/** The Dirichlet path's factor C(x, a) and dC/dx on each backend, value by value. */

import { runPrograms } from "../../src/engine/cases/run-programs.ts";
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import { dirichletFactor } from "../../src/flow/simplex/dirichlet-factor.ts";
import { factorNodes, slopeNodes } from "../../src/flow/simplex/factor-nodes.ts";
import { factorTable } from "../../src/flow/simplex/factor-table.ts";
import type { Node } from "../../src/graph/node.ts";
import { state } from "../../src/ops/sources.ts";
import { assert } from "./assert.ts";
import type { Check, Context } from "./check.ts";

/** Largest error of a value, relative to it: some eight roundings to f32, for a in [1, 10] and x in [1e-6, 1 - 1e-6]. */
const TOLERANCE = 1e-6;

const times = Float32Array.from([1, 1.001, 1.25, 1.5, 2, 2.7, 3.3, 4, 5, 6.4, 7.9, 8, 9, 10]);

/** From 1e-6 to 1 - 1e-6, evenly in logarithms from either end, and the ends themselves. */
const points = Float32Array.from([
  ...[0, 1],
  ...Array.from({ length: 120 }, (_, i) => 1e-6 * 5e5 ** (i / 119)),
  ...Array.from({ length: 60 }, (_, i) => 1 - 1e-6 * 5e5 ** (i / 59)),
]);

export const checks: Check[] = [4, 40, 80].map((letters) => ({
  name: `the Dirichlet path's factor and its slope for ${letters} letters`,
  seconds: 60,
  run: (context: Context) => agree(context, letters),
}));

async function agree({ backend, gpu }: Context, letters: number): Promise<void> {
  const shape = [times.length, points.length] as const;
  const x = state({ name: "case.x", shape, dtype: "f32" });
  const a = state({ name: "case.a", shape: [times.length, 1], dtype: "f32" });
  const tables = factorTable(letters);
  const { factor, ratio } = factorNodes(tables, x, a);
  const outputs: Record<string, Node> = { factor, ratio, slope: slopeNodes(tables, x, a) };
  const updates = Object.entries(outputs).map(([name, value]) => ({
    ...{ state: { name, shape, dtype: "f32" as const }, value },
  }));
  const inputs = new Map([
    [
      "case.x",
      Float64Array.from({ length: times.length * points.length }, (_, i) => points[i % points.length] as number),
    ],
    ["case.a", Float64Array.from(times)],
  ]);
  const forms = backend === "wasm" ? [{ relaxedSimd: false }, {}] : [{}];
  for (const form of forms) {
    using runtime = await createLocalRuntime({ backend, ...form, ...(gpu && { gpu }) });
    const values = await runtime.use(({ backend: device }) =>
      runPrograms(device, { programs: [{ graph: { name: "factor", updates } }], inputs }),
    );
    for (const name of ["factor", "ratio", "slope"] as const) {
      const found = values.get(name)?.[0] ?? [];
      for (const [i, time] of times.entries()) {
        for (const [j, point] of points.entries()) {
          const value = found[i * points.length + j] as number;
          const expected = dirichletFactor(point, time, letters)[name];
          if (point === 0) {
            assert(name !== "factor" || value === 0, `C(0, ${time}) is ${value}.`);
            continue;
          }
          const error = Math.abs(value / expected - 1);
          assert(
            error <= TOLERANCE,
            `${name} at x = ${point}, a = ${time}: ${value} for ${expected}, off by ${error}.`,
          );
        }
      }
    }
  }
}
