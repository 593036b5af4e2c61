// The Brownian bridge as a path of losses: against the closed formulas, with known fields, and at both ends.
import { expect, test } from "vitest";
import { brownianBridge as formulas } from "../../src/flow/brownian-bridge.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import type { Loss, LossContext, VelocityField } from "../../src/flow/losses/loss.ts";
import { paper2d } from "../../src/flow/losses/paper-2d.ts";
import { scoreMatching } from "../../src/flow/losses/score-matching.ts";
import { weighted } from "../../src/flow/losses/weighted.ts";
import { fieldOf } from "../../src/flow/network-field.ts";
import { brownianBridge } from "../../src/flow/paths/brownian-bridge.ts";
import { pointBetween } from "../../src/flow/paths/path.ts";
import { withOutput } from "../../src/flow/paths/with-output.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import type { Node } from "../../src/graph/node.ts";
import { ConfigError, mlp } from "../../src/index.ts";
import type { Network } from "../../src/nn/network.ts";
import { add, divide, multiply, subtract } from "../../src/ops/arithmetic.ts";
import { table } from "../../src/ops/sources.ts";
import { lossOf, pathOf } from "../../src/train/parts.ts";
import { RandomSequence } from "../../src/transport/random-sequence.ts";

const [ROWS, D, SIGMA] = [6, 3, 0.7];
const random = new RandomSequence(5, 0);
const drawn = (rows = ROWS) =>
  table(
    Array.from({ length: rows * D }, () => random.normal()),
    [rows, D],
  );
const [x0, x1, z] = [drawn(), drawn(), drawn()];
const column = (values: readonly number[]) => table(values, [values.length, 1]);
const inner = [0.001, 0.1, 0.3, 0.5, 0.8, 0.999];
const values = (node: Node) => Array.from(evaluate([node])[0]?.data ?? []);
const zero: VelocityField = (x) => multiply(x, 0);

function context(t: Node, network: VelocityField = zero, path = brownianBridge({ sigma: SIGMA })): LossContext {
  let first = true;
  return {
    ...{ network, path, x0, x1, t },
    random(_, shape) {
      if (first) {
        first = false;
        return z;
      }
      return table(
        Array.from({ length: ROWS * D }, () => (random.uniform() < 0.5 ? -1 : 1)),
        shape,
      );
    },
  };
}

test("points are the bridge's, velocities and rates up to the factor of t", () => {
  const t = column(inner);
  const own = formulas({ x0, x1, noise: z, t, sigma: SIGMA });
  const point = pointBetween(context(t, (x) => add(multiply(x, 0), 1)));
  const root = values(point.field(x0, t)); // of a field that is 1
  const far = (found: Node, wanted: Node, factor?: readonly number[]) => {
    const expected = values(wanted);
    return Math.max(
      ...values(found).map((value, i) => {
        const exact = (expected[i] as number) * (factor?.[Math.floor((i * ROWS) / expected.length) * D] ?? 1);
        return Math.abs(value - exact) / Math.max(1, Math.abs(exact));
      }),
    );
  };
  expect(far(point.x, own.x)).toBeLessThan(1e-13);
  expect(far(point.sigma, own.std)).toBeLessThan(1e-13);
  expect(far(point.velocity, own.velocity, root)).toBeLessThan(1e-12);
  expect(far(divide(point.sigmaRate, point.sigma), own.dilation, root)).toBeLessThan(1e-11);
  expect(far(divide(multiply(point.noise, -1), point.sigma), own.score)).toBeLessThan(1e-12);
  // w = 1 / (1 + std'^2).
  inner.forEach((time, i) => {
    const rate = (SIGMA * (1 - 2 * time)) / (2 * Math.sqrt(time * (1 - time)));
    expect(root[i * D]).toBeCloseTo(1 / Math.sqrt(1 + rate ** 2), 12);
  });
});

test("solvers' deviation is the bridge's, but for a thousandth of the time at either end", () => {
  const { std } = brownianBridge({ sigma: SIGMA });
  const found = values((std as (t: Node) => Node)(column([0, 1e-4, 0.1, 0.5, 0.8, 1])));
  const spreads = [1e-3, 1e-3, 0.09, 0.25, 0.16, 1e-3];
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(SIGMA * Math.sqrt(spreads[i] as number), 14);
  });
});

test("the score's loss is its mean square from the noise, times its weight, beside the velocity's", () => {
  const network: Network = {
    ...{ kind: "two", config: {}, dimension: D, parameters: [] },
    apply: (_, x) => multiply(x, 0.3),
    score: (_, x) => multiply(x, 0.4),
  };
  const t = column(inner);
  const field = fieldOf(network, new Map());
  const { x, noise } = pointBetween(context(t, field));
  const miss = values(subtract(multiply(x, 0.4), noise));
  const square = miss.reduce((sum, value) => sum + value ** 2, 0) / (ROWS * D);
  const velocity = values(cfm().build(context(t, field)).loss)[0] as number;
  for (const weight of [1, 3]) {
    const { loss } = scoreMatching(cfm(), { weight }).build(context(t, field));
    expect(values(loss)[0]).toBeCloseTo(velocity + weight * square, 12);
  }
});

/** The conditional field of these very ends: losses are 0 at it. */
const exact: VelocityField = (x, t) => {
  const mean = add(multiply(subtract(1, t), x0), multiply(t, x1));
  const dilation = divide(subtract(0.5, t), multiply(t, subtract(1, t)));
  return add(multiply(dilation, subtract(x, mean)), subtract(x1, x0));
};

test.each([
  fdm({ estimator: "exact" }),
  fdm({ estimator: "exact", form: "slice" }),
  fdm({ probes: 3 }),
  fdm({ probes: 3, form: "slice", power: 1 }),
  paper2d(),
])("the residual of the exact field is rounding: %o", (loss) => {
  const { velocityLoss, divergenceLoss } = loss.build(context(column(inner), exact));
  // Power 1 is linear in rounding, the others square it.
  for (const term of [velocityLoss, divergenceLoss as Node]) expect(values(term)[0]).toBeLessThan(1e-11);
  const off = loss.build(context(column(inner), (x, t) => add(exact(x, t), multiply(x, 0.1))));
  expect(values(off.divergenceLoss as Node)[0]).toBeGreaterThan(1e-4);
});

test.each([cfm(), fdm(), fdm({ form: "slice" }), fdm({ unbiased: true, probes: 2 })] as Loss[])(
  "both ends are numbers, as the means over t of squares are: %o",
  (loss) => {
    const ends = [0, 2 ** -24, 1e-6, 1 - 1e-6, 1 - 2 ** -24, 1];
    const { loss: found } = loss.build(context(column(ends), (x) => multiply(x, 0.3)));
    expect(values(found)[0]).toBeLessThan(1e3);
    expect(Number.isFinite(values(found)[0])).toBe(true);
  },
);

test("what takes points for alpha x1 + sigma x0 is refused, and a name makes it again", async () => {
  const path = brownianBridge({ sigma: SIGMA });
  expect(() => withOutput("noise", path)).toThrow(ConfigError);
  expect(() => weighted(cfm(), { by: "noise" }).build(context(column(inner)))).toThrow(/brownian-bridge/);
  expect(() => fdm({ weight: "dilation" }).build(context(column(inner)))).toThrow(ConfigError);
  expect(() => brownianBridge({ sigma: 0 })).toThrow(/sigma/);
  expect(() => scoreMatching(cfm()).build(context(column(inner)))).toThrow(/withScore/);
  expect(() => scoreMatching(weighted(cfm(), {}))).toThrow(ConfigError);
  expect(await pathOf(path)).toMatchObject({ name: "brownian-bridge", options: { sigma: SIGMA } });
  const loss = scoreMatching(fdm({ probes: 2 }), { weight: 3 });
  expect((await lossOf(loss)).options).toEqual(loss.options);
  expect(mlp({ dimension: 2 }).score).toBeUndefined();
});
