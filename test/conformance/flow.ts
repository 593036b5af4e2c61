/**
 * The mathematics of flows on the device: golden cases, the exact field's residual, Stein's identity, CFM's bits, the
 * solvers' orders. What runs graphs is a parameter, so that test/flow/ can hold the same checks to the f64 reference.
 */
import { chooseBackend, everyBackend } from "../../src/engine/choose-backend.ts";
import { createLocalRuntime } from "../../src/engine/runtime.ts";
import { verifyCase } from "../../src/engine/verify.ts";
import condOtSilu from "../fixtures/cond-ot-silu.json" with { type: "json" };
import cosineSoftplus from "../fixtures/cosine-softplus.json" with { type: "json" };
import linearVpTanh from "../fixtures/linear-vp-tanh.json" with { type: "json" };
import poly3Silu from "../fixtures/poly3-silu.json" with { type: "json" };
import veSin from "../fixtures/ve-sin.json" with { type: "json" };
import vpGelu from "../fixtures/vp-gelu.json" with { type: "json" };
import { assert } from "./assert.ts";
import type { Check, Context } from "./check.ts";
import { DeviceMachine } from "./device-machine.ts";
import { flowChecks } from "./flow-checks.ts";

/** f32: the losses of small MLPs reach it on every backend, where cases of any kind have {@link verifyTolerances}. */
const TOLERANCE = 2e-5;

const goldenCases = [condOtSilu, cosineSoftplus, linearVpTanh, poly3Silu, veSin, vpGelu];

export const checks: Check[] = [
  ...goldenCases.map((golden) => ({
    name: `golden case ${golden.name}`,
    async run({ backend, gpu }: Context) {
      using runtime = await createLocalRuntime({ backend, ...(gpu && { gpu }) });
      const errors = await verifyCase(runtime, JSON.stringify(golden), golden.name);
      const off = Object.entries(errors).filter(([, error]) => !(error <= TOLERANCE));
      assert(off.length === 0, `Off by more than ${TOLERANCE}: ${JSON.stringify(off)}.`);
    },
  })),
  ...flowChecks.map(({ name, run }) => ({
    name,
    async run({ backend, gpu }: Context) {
      const chosen = await chooseBackend({ backend, ...(gpu && { gpu }) }, { modules: everyBackend });
      const machine = new DeviceMachine(chosen.backend);
      try {
        await run(machine);
      } finally {
        chosen.backend.dispose();
      }
    },
  })),
];
