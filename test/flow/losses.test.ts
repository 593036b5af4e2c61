// Losses against their formulas in plain arithmetic, on a linear field whose Jacobian is known; gradients against
// differences on a small network; estimates against exact values.
import { describe, expect, test } from "vitest";
import { gradient } from "../../src/autodiff/vjp.ts";
import { ConfigError } from "../../src/errors.ts";
import { hutchinsonEstimate, jacobianProducts, traceOf, unitVectors } from "../../src/flow/divergence.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { type FDMOptions, fdm } from "../../src/flow/losses/fdm.ts";
import type { Loss, LossContext } from "../../src/flow/losses/loss.ts";
import { paper2d } from "../../src/flow/losses/paper-2d.ts";
import { lossFrom, lossNames } from "../../src/flow/losses/registry.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { linearVP } from "../../src/flow/paths/linear-vp.ts";
import type { PathScheduler } from "../../src/flow/paths/path.ts";
import { polynomial } from "../../src/flow/paths/polynomial.ts";
import { vp } from "../../src/flow/paths/vp.ts";
import { initialParameters } from "../../src/nn/initialize.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { add, multiply } from "../../src/ops/arithmetic.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { numbers, relativeError, valuesOf, variable } from "./evaluate.ts";

const [rows, dimension] = [5, 2];
const host = new HostRandom(17);
const x0 = host.normal(rows * dimension, 0);
const x1 = host.normal(rows * dimension, 1);
const times = host.uniform(rows, 2).map((t) => 0.05 + 0.85 * t);
const matrix = [0.7, -0.4, 1.3, 0.2]; // v = x A + t b, so dv_j/dx_i = A[i][j]
const shift = [0.5, -0.8];

/** Probes by number of the draw. */
const probe = (kind: "rademacher" | "normal" | "uniform", draw: number) => host.draw(kind, rows * dimension, 10 + draw);

function linearContext(path: PathScheduler): LossContext {
  let draw = 0;
  return {
    network: (x, t) => add(matmul(x, numbers(matrix, [2, 2])), multiply(t, numbers(shift, [1, 2]))),
    path,
    x0: numbers(x0, [rows, dimension]),
    x1: numbers(x1, [rows, dimension]),
    t: numbers(times, [rows, 1]),
    random: (kind, shape) => numbers(probe(kind, draw++).slice(0, shape[0] * shape[1]), shape),
  };
}

/** Row by row, in plain numbers: x, v, u, s and what the divergence needs. */
function plainRows(path: PathScheduler) {
  const { alpha, sigma, alphaRate, sigmaRate } = path.at(numbers(times, [rows, 1]));
  const [a, s, da, ds] = valuesOf([alpha, sigma, alphaRate, sigmaRate]);
  return Array.from({ length: rows }, (_, i) => {
    const noise = [x0[2 * i], x0[2 * i + 1]];
    const data = [x1[2 * i], x1[2 * i + 1]];
    const x = noise.map((value, j) => a[i] * data[j] + s[i] * value);
    const v = [0, 1].map((j) => x[0] * matrix[j] + x[1] * matrix[2 + j] + times[i] * shift[j]);
    const u = noise.map((value, j) => da[i] * data[j] + ds[i] * value);
    const score = noise.map((value) => -value / s[i]);
    return { sigma: s[i], dilation: ds[i] / s[i], v, u, score };
  });
}

type PlainRow = ReturnType<typeof plainRows>[number];

const dot = (a: readonly number[], b: readonly number[]) => a[0] * b[0] + a[1] * b[1];
const apply = (z: readonly number[]) => [z[0] * matrix[0] + z[1] * matrix[2], z[0] * matrix[1] + z[1] * matrix[3]];
const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const differenceOf = ({ v, u }: PlainRow) => [v[0] - u[0], v[1] - u[1]];

function plainCfm(all: readonly PlainRow[]): number {
  return average(all.map((row) => dot(differenceOf(row), differenceOf(row)) / dimension));
}

function plainDivergence(all: readonly PlainRow[], options: FDMOptions): number {
  const { form = "residual", power = 2, weight = "sigma", estimator = "hutchinson", probes = 1 } = options;
  const kind = options.probe === "gaussian" ? "normal" : "rademacher";
  const drawn = Array.from({ length: probes }, (_, draw) => probe(kind, draw));
  const unit = [
    [1, 0],
    [0, 1],
  ];
  return average(
    all.map((row, i) => {
      const w = { sigma: row.sigma, dilation: 1 / Math.abs(row.dilation), none: 1 }[weight];
      const z = drawn.map((values) => [values[2 * i], values[2 * i + 1]]);
      if (form === "residual") {
        const trace = estimator === "exact" ? matrix[0] + matrix[3] : average(z.map((each) => dot(each, apply(each))));
        const r = trace - dimension * row.dilation + dot(differenceOf(row), row.score);
        return Math.abs((w * r) / dimension) ** power;
      }
      const square = (each: readonly number[]) => {
        const R = apply(each).map(
          (product, j) => product + differenceOf(row)[j] * dot(row.score, each) - row.dilation * each[j],
        );
        return (w * w * dot(R, R)) / dimension;
      };
      if (estimator === "exact") return (square(unit[0]) + square(unit[1])) ** (power / 2);
      return average(z.map((each) => square(each) ** (power / 2)));
    }),
  );
}

const variants: FDMOptions[] = [
  {},
  { power: 1 },
  { weight: "none", velocityWeight: 2 },
  { weight: "dilation", probes: 3 },
  { estimator: "exact" },
  { estimator: "exact", power: 1, detachVelocity: false },
  { probe: "gaussian", probes: 2 },
  { form: "slice" },
  { form: "slice", power: 1, probes: 3 },
  { form: "slice", probe: "gaussian", weight: "none" },
  { form: "slice", estimator: "exact" },
  { form: "slice", estimator: "exact", power: 1, weight: "dilation" },
];

describe.each(variants.map((options) => ({ label: JSON.stringify(options), options })))("fdm $label", ({ options }) => {
  test("is its formula", () => {
    const path = condOT();
    const all = plainRows(path);
    const terms = fdm({ divergence: 0.3, ...options }).build(linearContext(path));
    const [loss, velocity, divergence] = valuesOf([terms.loss, terms.velocityLoss, terms.divergenceLoss!]);
    const exact = plainDivergence(all, options);
    expect(velocity[0]).toBeCloseTo(plainCfm(all), 11);
    expect(relativeError(divergence, [exact])).toBeLessThan(1e-12);
    expect(relativeError(loss, [(options.velocityWeight ?? 1) * plainCfm(all) + 0.3 * exact])).toBeLessThan(1e-12);
  });
});

test("a fraction takes the divergence on the first rows only, and the velocity on all", () => {
  const path = linearVP();
  const all = plainRows(path);
  const terms = fdm({ divergence: 1, fraction: 0.5 }).build(linearContext(path));
  const [loss, velocity, divergence] = valuesOf([terms.loss, terms.velocityLoss, terms.divergenceLoss!]);
  expect(velocity[0]).toBeCloseTo(plainCfm(all), 12);
  expect(relativeError(divergence, [plainDivergence(all.slice(0, 3), {})])).toBeLessThan(1e-12); // 2.5 rounds up
  expect(loss[0]).toBeCloseTo(velocity[0] + divergence[0], 12);
});

test("paper-2d is the published program's objective", () => {
  for (const path of [condOT(), linearVP()]) {
    const all = plainRows(path);
    const z = probe("rademacher", 0);
    const byCoordinate = all.map(({ sigma, dilation, v, u, score }) => {
      const sums = [matrix[0] + matrix[1], matrix[2] + matrix[3]]; // J^T 1: sums over outputs, by input
      return average(sums.map((each, j) => (sigma * (each + score[j] * v[j] - u[j] * score[j] - dilation)) ** 2));
    });
    const byRow = all.map(({ sigma, dilation, v, u, score }, i) => {
      const each = [z[2 * i], z[2 * i + 1]];
      const expansion = dot(each, apply(each)) + dot(score, each) * dot(v, each) - dot(u, each) * dot(score, each);
      return (sigma * (expansion - dilation * dot(each, each))) ** 2;
    });
    const scaled = average(all.map((row) => average(differenceOf(row).map((each) => (each * dimension) ** 2))));
    const bracket = average(byCoordinate) + average(byRow) + scaled;
    const [loss] = valuesOf([paper2d().build(linearContext(path)).loss]);
    expect(relativeError(loss, [plainCfm(all) + 0.1 * bracket])).toBeLessThan(1e-12);
  }
});

describe("gradients by the parameters", () => {
  const network = mlp({ dimension, hidden: [6], activation: "silu" });
  const layout = parameterLayout(network);
  const flat = variable("parameters", [layout.total]);
  const views = parameterViews(flat, layout);
  const start = Float64Array.from(initialParameters(network, 3));

  function lossOf(loss: Loss) {
    return loss.build({ ...linearContext(polynomial()), network: (x, t) => network.apply(views, x, t) }).loss;
  }

  // Not those that detach: what is held constant when differentiating moves in a difference.
  const attached = [...variants.filter(({ weight }) => weight !== "dilation"), { fraction: 0.4 }].map((options) =>
    fdm({ ...options, detachVelocity: false }),
  );
  test.each([cfm(), ...attached].map((loss) => ({ loss })))(
    "$loss.name $loss.options: the difference quotient along a direction",
    ({ loss }) => {
      const node = lossOf(loss);
      const direction = new HostRandom(23).normal(layout.total, 0);
      const h = 1e-5; // truncation ~ h^2, rounding ~ 1e-16 / h: both about 1e-11 of the values
      const at = (step: number) =>
        valuesOf([node], new Map([["parameters", start.map((value, i) => value + step * direction[i])]]))[0][0];
      const [slope] = valuesOf(gradient(node, [flat]), new Map([["parameters", start]]));
      const along = slope.reduce((total, value, i) => total + value * direction[i], 0);
      expect(relativeError([along], [(at(h) - at(-h)) / (2 * h)])).toBeLessThan(1e-7);
    },
  );

  test("the loss with weight 0 is CFM's graph, whatever the other options", () => {
    const shape = (loss: Loss) => JSON.stringify(lossOf(loss), (key, value) => (key === "op" ? value.name : value));
    const plain = shape(cfm());
    for (const loss of [fdm({ divergence: 0, form: "slice", probes: 4 }), paper2d({ divergence: 0 })]) {
      expect(shape(loss)).toBe(plain);
    }
    expect(shape(fdm())).not.toBe(plain);
  });

  // A batch is as likely as it is with its rows turned round, by any number: over all turns each row is among the first
  // equally often, so the mean of the gradients is the expectation over the order of rows, to rounding.
  test.each([0.2, 0.4, 0.5, 0.8].flatMap((fraction) => [{ fraction }, { fraction, probes: 2, power: 1 as const }]))(
    "a fraction's gradient has the whole batch's as its mean, %j",
    (options) => {
      const gradientOf = (loss: Loss, turn: number) => {
        const turned = (data: ArrayLike<number>) =>
          Float64Array.from({ length: data.length }, (_, i) => {
            const width = data.length / rows;
            return data[((Math.floor(i / width) + turn) % rows) * width + (i % width)];
          });
        let draw = 0;
        const context: LossContext = {
          network: (x, t) => network.apply(views, x, t),
          path: polynomial(),
          x0: numbers(turned(x0), [rows, dimension]),
          x1: numbers(turned(x1), [rows, dimension]),
          t: numbers(turned(times), [rows, 1]),
          random: (kind, shape) => numbers(turned(probe(kind, draw++)).slice(0, shape[0] * shape[1]), shape),
        };
        return valuesOf(gradient(loss.build(context).loss, [flat]), new Map([["parameters", start]]))[0];
      };
      const turns = Array.from({ length: rows }, (_, turn) => gradientOf(fdm(options), turn));
      const mean = turns[0].map((_, i) => average(turns.map((each) => each[i])));
      const whole = gradientOf(fdm({ ...options, fraction: 1 }), 0);
      expect(relativeError(mean, [...whole])).toBeLessThan(1e-12);
      expect(relativeError(turns[0], [...whole])).toBeGreaterThan(1e-3);
    },
  );

  test("a detached velocity moves the loss by its divergence alone", () => {
    const [attachedLoss, detachedLoss] = [fdm({ detachVelocity: false }), fdm()].map(lossOf);
    const [values, gradients] = [
      valuesOf([attachedLoss, detachedLoss], new Map([["parameters", start]])),
      valuesOf(
        [attachedLoss, detachedLoss].flatMap((loss) => gradient(loss, [flat])),
        new Map([["parameters", start]]),
      ),
    ];
    expect(values[1]).toEqual(values[0]);
    expect(relativeError(gradients[1], [...gradients[0]])).toBeGreaterThan(1e-3);
  });
});

describe("Hutchinson's estimate", () => {
  test.each(["rademacher", "normal"] as const)("of %s probes has the trace as its mean", (kind) => {
    const network = mlp({ dimension: 3, hidden: [16, 16], activation: "tanh" });
    const layout = parameterLayout(network);
    const views = parameterViews(numbers(initialParameters(network, 9).map((value) => 3 * value)), layout);
    const count = 4096; // one point, as many rows
    const x = numbers(
      Array.from({ length: 3 * count }, (_, i) => [0.4, -0.9, 1.2][i % 3]),
      [count, 3],
    );
    const v = network.apply(views, x, numbers(new Float64Array(count).fill(0.6), [count, 1]));
    const z = numbers(new HostRandom(31).draw(kind, 3 * count, 0), [count, 3]);
    const [estimates, traces] = valuesOf([
      hutchinsonEstimate(z, jacobianProducts(v, x, [z])[0]),
      traceOf(jacobianProducts(v, x, unitVectors(x.shape))),
    ]);
    const mean = average([...estimates]);
    const deviation = Math.sqrt(average([...estimates].map((value) => (value - mean) ** 2)));
    expect(deviation).toBeGreaterThan(0.01);
    expect(Math.abs(mean - traces[0])).toBeLessThan((4 * deviation) / Math.sqrt(count));
  });
});

test.each<[string, () => unknown]>([
  ["divergence of fdm", () => fdm({ divergence: -0.1 })],
  ["divergence of fdm", () => fdm({ divergence: Number.NaN })],
  ["divergence of fdm", () => fdm({ divergence: 1e-50 })],
  ["divergence of fdm", () => fdm({ divergence: 1e39 })],
  ["velocityWeight of fdm", () => fdm({ velocityWeight: 0 })],
  ["velocityWeight of fdm", () => fdm({ velocityWeight: 1e-46 })],
  ["form of fdm", () => fdm({ form: "slices" as "slice" })],
  ["power of fdm", () => fdm({ power: 3 as 1 })],
  ["weight of fdm", () => fdm({ weight: "alpha" as "sigma" })],
  ["estimator of fdm", () => fdm({ estimator: "hutch" as "exact" })],
  ["probe of fdm", () => fdm({ probe: "normal" as "gaussian" })],
  ["probes of fdm", () => fdm({ probes: 0 })],
  ["detachVelocity of fdm", () => fdm({ detachVelocity: 1 as unknown as boolean })],
  ["unbiased of fdm", () => fdm({ unbiased: 1 as unknown as boolean, probes: 2 })],
  ["unbiased of fdm", () => fdm({ unbiased: true })],
  ["unbiased of fdm", () => fdm({ unbiased: true, probes: 2, power: 1 })],
  ["unbiased of fdm", () => fdm({ unbiased: true, probes: 2, form: "slice" })],
  ["fraction of fdm", () => fdm({ fraction: 0 })],
  ["fraction of fdm", () => fdm({ fraction: 1.1 })],
  ["weight of fdm", () => fdm({ weight: "dilation" }).build(linearContext(linearVP()))],
  ["weight of fdm", () => fdm({ weight: "dilation" }).build(linearContext(vp({ betaMax: 100 })))],
  ["velocityWeight of cfm", () => cfm({ velocityWeight: -1 })],
  ["velocityWeight of cfm", () => cfm({ velocityWeight: 1e300 })],
  ["divergence of paper2d", () => paper2d({ divergence: 1e-50 })],
  ["divergence of paper2d", () => paper2d({ divergence: -1 })],
  ["loss", () => lossFrom({ name: "FDM", options: {} })],
  ["options of fdm", () => lossFrom({ name: "fdm", options: { divergenceWeight: 1 } })],
])("a wrong %s is refused", (subject, make) => {
  expect(make).toThrow(ConfigError);
  expect(make).toThrow(`${subject}: got `);
});

test.each(lossNames)("%s is made again of its name and options", (name) => {
  const loss = lossFrom({ name, options: {} });
  const again = lossFrom(JSON.parse(JSON.stringify({ name: loss.name, options: loss.options })));
  const [value, same] = valuesOf([loss, again].map((each) => each.build(linearContext(condOT())).loss));
  expect(same).toEqual(value);
});
