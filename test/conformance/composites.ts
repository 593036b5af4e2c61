/** Golden cases of every kind, those of ops to second order, through a whole runtime: what `divflow verify` does. */
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import { verifyCase, verifyTolerances } from "../../src/engine/verify.ts";
import { assert } from "./assert.ts";
import type { Check, Context } from "./check.ts";
import {
  couplingFixtures,
  dynamicsFixtures,
  flowMapFixtures,
  guidanceFixtures,
  networkFixtures,
  opFixtures,
  simplexFixtures,
} from "./golden-fixtures.ts";

const ops = [...new Set(opFixtures.map(({ op }) => op))];

const fixtures = [
  ["guidance, and of mixtures' known fields", 120, guidanceFixtures],
  ["couplings", 60, couplingFixtures],
  ["flow maps", 60, flowMapFixtures],
  ["letters on the simplex", 240, simplexFixtures],
  ["dynamical systems, and of events of their trajectories", 60, dynamicsFixtures],
] as const;

export const checks: Check[] = [
  ...ops.map((op) => ({
    name: `golden values of ${op}, to second order`,
    seconds: 120,
    run: (context: Context) =>
      agree(
        context,
        opFixtures.filter((each) => each.op === op),
      ),
  })),
  ...networkFixtures.map((fixture) => ({
    name: `golden values of network ${fixture.name}`,
    seconds: 400,
    run: (context: Context) => agree(context, [fixture]),
  })),
  ...fixtures.map(([what, seconds, files]) => ({
    name: `golden values of ${what}`,
    seconds,
    run: (context: Context) => agree(context, files),
  })),
];

/** On the platform's GPU; or on plain WebAssembly and, where the platform has it, on relaxed SIMD. */
async function agree({ backend, gpu }: Context, cases: readonly { readonly name: string }[]): Promise<void> {
  const forms = backend === "wasm" ? [{ relaxedSimd: false }, {}] : [{}];
  for (const form of forms) {
    using runtime = await createLocalRuntime({ backend, ...form, ...(gpu && { gpu }) });
    for (const golden of cases) {
      const errors = Object.entries(await verifyCase(runtime, JSON.stringify(golden), golden.name));
      assert(errors.length > 0, `${golden.name}: no quantity was compared.`);
      const off = errors.filter(([, error]) => !(error <= verifyTolerances[backend]));
      assert(
        off.length === 0,
        `${golden.name}: off by more than ${verifyTolerances[backend]}: ${JSON.stringify(off)}.`,
      );
    }
  }
}
