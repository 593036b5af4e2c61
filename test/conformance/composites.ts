/** Ops made of ops against golden values, to second order: value, tangent, gradient, gradient of the tangent. */
import type { Update } from "../../src/graph/graph.ts";
import { sizeOf } from "../../src/graph/node.ts";
import { reshape } from "../../src/ops/shape.ts";
import { assertClose } from "./assert.ts";
import type { Check } from "./check.ts";
import { DeviceMachine } from "./device-machine.ts";
import { onEachBackend } from "./kernel-backends.ts";
import { type OpFixture, opCaseGraph } from "./op-fixture.ts";
import { opFixtures } from "./op-fixtures.ts";

/** f32; measured: plain arithmetic in f32 reaches 2e-5 on each. */
const TOLERANCE = 5e-5;

const names = [...new Set(opFixtures.map(({ op }) => op))];

export const checks: Check[] = names.map((op) => ({
  name: `golden values of ${op}, to second order`,
  seconds: 120,
  run: (context) =>
    onEachBackend(context, async (backend) => {
      const machine = new DeviceMachine(backend);
      for (const fixture of opFixtures.filter((each) => each.op === op)) await checkFixture(machine, fixture);
    }),
}));

async function checkFixture(machine: DeviceMachine, fixture: OpFixture): Promise<void> {
  const { outputs, expected, states } = opCaseGraph(fixture);
  const updates = Object.entries(outputs).map(([name, node]): Update => {
    const shape = [sizeOf(node.shape)];
    return { state: { name, shape, dtype: "f32" }, value: reshape(node, shape) };
  });
  const integers = new Set(Object.keys(fixture.inputs).filter((name) => fixture.inputs[name]?.dtype === "u32"));
  const given = Array.from(states, ([name, data]) => {
    const isInteger = integers.has(name.slice("case.".length));
    return [name, isInteger ? Uint32Array.from(data) : Float64Array.from(data)] as const;
  });
  const found = await machine.run({ name: fixture.name, updates }, new Map(given));
  for (const [name, { data }] of Object.entries(expected)) {
    assertClose(found.get(name) ?? [], data, TOLERANCE, `${name} of ${fixture.name}`);
  }
}
