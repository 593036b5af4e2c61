/** Every kernel against what its declaration says, computed in f64; and programs of several calls. */
import { elementwiseFunctions, randomFunctions } from "../../src/kernels/elementwise.ts";
import { kernels } from "../../src/kernels/registry.ts";
import { assert } from "./assert.ts";
import type { Check } from "./check.ts";
import { onEachBackend } from "./kernel-backends.ts";
import { checkCase, type KernelCase } from "./kernel-case.ts";
import { kernelCases } from "./kernel-cases.ts";
import { chainCases } from "./kernel-chain-cases.ts";
import { elementwiseCases } from "./kernel-elementwise-cases.ts";
import { productCases } from "./kernel-product-cases.ts";

const groups: Readonly<Record<string, () => KernelCase[]>> = {
  ...kernelCases,
  ...elementwiseCases,
  ...chainCases,
  ...productCases,
};

export const checks: Check[] = [
  ...Object.entries(groups).map(
    ([name, cases]): Check => ({
      name: `kernels agree with f64: ${name}`,
      seconds: 180,
      async run(context) {
        await onEachBackend(context, async (backend) => {
          const groups = backend.limits.maxEpilogueGroups ?? 0;
          for (const [number, each] of cases().entries()) {
            if (each.chain && (each.parameters["groups"] ?? 0) > groups) continue; // no plan makes such a call there
            await checkCase(backend, each, number);
          }
        });
      },
    }),
  ),
  {
    name: "kernels: none is without a case",
    async run() {
      const cases = Object.values(groups).flatMap((make) => make());
      for (const name of Object.keys(kernels)) {
        assert(
          cases.some(({ kernel }) => kernel === name),
          `No case calls "${name}".`,
        );
      }
      for (const name of [...Object.keys(elementwiseFunctions), ...randomFunctions]) {
        assert(
          cases.some(({ label }) => label.startsWith(`${name} `) || label.startsWith(`${name}:`)),
          `No case calls the function "${name}".`,
        );
      }
    },
  },
];
