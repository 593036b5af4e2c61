// The checks that every device must pass, on the host: in f64, and with every result rounded to f32.
import { describe, expect, test } from "vitest";
import { pathFrom, pathNames } from "../../src/flow/paths/registry.ts";
import { checkResidual, flowChecks, type Machine } from "../conformance/flow-checks.ts";
import { type Precision, runGraph } from "./evaluate.ts";

function hostMachine(precision: Precision): Machine {
  return {
    async run(graph, state, times = 1) {
      const states = new Map<string, ArrayLike<number>>([["counter", [0]], ...state]);
      for (let i = 0; i < times; i++) runGraph(graph, states, precision);
      return new Map([...states].map(([name, values]) => [name, Float64Array.from(values)]));
    },
  };
}

describe.each(["f64", "f32"] as const)("in %s", (precision) => {
  test.each(flowChecks)("$name", ({ run }) => run(hostMachine(precision)));
});

test.each(pathNames)("the residual of the exact field on %s is rounding in f64", async (name) => {
  await checkResidual(hostMachine("f64"), pathFrom({ name, options: {} }), 1e-12);
  await expect(checkResidual(hostMachine("f32"), pathFrom({ name, options: {} }), 1e-12)).rejects.toThrow(
    "residual is",
  );
});
