// Outputs of networks by what they mean, and losses weighed by time: exact quantities give exact velocities and no residual
// on every path, at every end something finite, and weighed losses are the mean squares that they are said to be.
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/errors.ts";
import { type FieldKind, fieldKinds } from "../../src/flow/conversions.ts";
import { jacobianProducts, traceOf, unitVectors } from "../../src/flow/divergence.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { defineWeight } from "../../src/flow/losses/define-weight.ts";
import { fdm, scaledResidual } from "../../src/flow/losses/fdm.ts";
import type { Loss, VelocityField } from "../../src/flow/losses/loss.ts";
import { lossWeights, weighted } from "../../src/flow/losses/weighted.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { definePath } from "../../src/flow/paths/define-path.ts";
import { onPath, type PathScheduler, pointOnPath, targetVelocity } from "../../src/flow/paths/path.ts";
import { pathNames } from "../../src/flow/paths/registry.ts";
import { ve } from "../../src/flow/paths/ve.ts";
import { veSDE } from "../../src/flow/paths/ve-sde.ts";
import { vp } from "../../src/flow/paths/vp.ts";
import { windowOf } from "../../src/flow/paths/window.ts";
import { withOutput } from "../../src/flow/paths/with-output.ts";
import type { Node } from "../../src/graph/node.ts";
import type { Network } from "../../src/nn/network.ts";
import { add, divide, multiply, negate, sin, sqrt, square, subtract } from "../../src/ops/arithmetic.ts";
import { sum } from "../../src/ops/reduce.ts";
import { lossOf, pathOf } from "../../src/train/parts.ts";
import { numbers, type Precision, valuesOf } from "./evaluate.ts";

const paths: PathScheduler[] = [
  ...(await Promise.all(pathNames.map((name) => pathOf({ name, options: {} })))),
  condOT({ sigmaMin: 0.1 }),
  veSDE(),
  definePath({ name: "quadratic", alpha: (t) => multiply(t, t), sigma: (t) => subtract(1, multiply(t, t)) }),
];
const label = ({ name, options }: PathScheduler) => `${name} ${JSON.stringify(options).slice(0, 40)}`;

const [D, times] = [3, [0.03, 0.2, 0.5, 0.77, 0.95]];
const t = numbers(times, [times.length, 1]);
const wide = (f: (i: number) => number) =>
  numbers(
    Array.from({ length: D * times.length }, (_, i) => f(i)),
    [times.length, D],
  );
const [x0, x1] = [wide((i) => Math.sin(3 * i + 1) * 1.3), wide((i) => Math.cos(5 * i) * 0.8)];

/** A network that gives this quantity exactly, of the conditional field of x1, whatever scale it sees and is read at. */
function exactNetwork(output: FieldKind, path: PathScheduler, deviation: number | undefined): Network {
  return {
    ...{ kind: "exact", config: {}, dimension: D, parameters: [] },
    apply(_, seen, at) {
      const { alpha, sigma, alphaRate, sigmaRate } = path.at(at);
      const size = (a: Node, s: Node) => sqrt(add(square(s), square(multiply(a, deviation ?? 1))));
      const x = deviation === undefined ? seen : multiply(seen, size(alpha, sigma));
      const noise = divide(subtract(x, multiply(alpha, x1)), sigma);
      const value = {
        velocity: add(multiply(alphaRate, x1), multiply(sigmaRate, noise)),
        noise,
        data: add(x1, multiply(x, 0)),
        score: negate(divide(noise, sigma)),
      }[output];
      if (deviation === undefined) return value;
      if (output === "velocity") return divide(value, size(alphaRate, sigmaRate));
      return { noise: value, data: divide(value, deviation), score: multiply(value, size(alpha, sigma)) }[output];
    },
  };
}

const cases = paths.flatMap((path) =>
  fieldKinds.flatMap((output) => [undefined, 0.7].map((deviation) => ({ path, output, deviation }))),
);

describe.each(cases.map((one) => [label(one.path), one.output, one.deviation, one] as const))(
  "on %s, %s, deviation %s",
  (_name, output, deviation, { path }) => {
    const bound = withOutput(output, path, deviation === undefined ? {} : { dataDeviation: deviation });

    // f32: a noise that is exact to 6e-8 is a velocity to det / alpha times as much, which is some 1e3 at the window's ends.
    test.each<[Precision, number]>([
      ["f64", 1e-9],
      ["f32", 1e-4],
    ])("the exact quantity is the target velocity, without residual, in %s", (precision, given) => {
      const tolerance = output === "velocity" && precision === "f32" ? 1e-5 : given;
      const values = path.at(t);
      const x = pointOnPath(values, x0, x1);
      const u = targetVelocity(values, x0, x1);
      const v = onPath(exactNetwork(output, path, deviation), bound).apply(new Map(), x, t);
      const divergence = traceOf(jacobianProducts(v, x, unitVectors(x.shape)));
      const excess = subtract(v, u);
      const residual = scaledResidual(values, divergence, excess, x0);
      const terms = [multiply(values.sigma, divergence), multiply(values.sigmaRate, D), sum(multiply(v, x0), [1])];
      const [got, want, r, ...parts] = valuesOf([v, u, residual, ...terms], new Map(), precision);
      const [first, last] = windowOf(path);
      times.forEach((time, row) => {
        if (time < first || time > last) return;
        const largest = Math.max(...Array.from(want.slice(row * D, (row + 1) * D), Math.abs));
        for (let i = row * D; i < (row + 1) * D; i++) {
          expect(Math.abs(got[i] - want[i])).toBeLessThanOrEqual(tolerance * largest);
        }
        const scale = Math.max(...parts.map((part) => Math.abs(part[row])));
        expect(Math.abs(r[row])).toBeLessThanOrEqual(tolerance * scale);
      });
    });

    test("nothing is infinite at the ends, in f32", () => {
      const ends = [0, 2 ** -24, 1e-6, 0.5, 1 - 2 ** -24, 1];
      const x = numbers(
        ends.flatMap((_, i) => [i - 2, 0.5, 1 / (i + 1)]),
        [ends.length, D],
      );
      const network: Network = {
        ...{ kind: "any", config: {}, dimension: D, parameters: [] },
        apply: (_, seen) => sin(add(seen, 1)),
      };
      const v = onPath(network, bound).apply(new Map(), x, numbers(ends, [ends.length, 1]));
      const [found] = valuesOf([v], new Map(), "f32");
      expect([...found].filter((value) => !Number.isFinite(value))).toEqual([]);
    });

    test("its name and options make it again", async () => {
      const again = await pathOf(JSON.parse(JSON.stringify({ name: bound.name, options: bound.options })));
      expect(again.options).toEqual(bound.options);
      const apply = (one: PathScheduler) => {
        const network = exactNetwork(output, path, deviation);
        return [...valuesOf([onPath(network, one).apply(new Map(), pointOnPath(path.at(t), x0, x1), t)])[0]];
      };
      expect(apply(again)).toEqual(apply(bound));
    });
  },
);

test("a network is bound to the path it is trained on now, not to an earlier one as well", () => {
  const network = exactNetwork("noise", vp(), undefined);
  const noise = onPath(network, withOutput("noise", vp()));
  expect(onPath(noise, vp())).toBe(network);
  expect(onPath(noise, withOutput("data", vp())).own).toBe(network);
  expect(onPath(network, vp())).toBe(network);
});

const random = () => numbers([1], [1]);
const field: VelocityField = (x, time) => add(multiply(sin(x), add(time, 0.5)), 0.3);

function squaresOf(loss: Loss, path: PathScheduler, at = t) {
  const built = loss.build({ network: field, path, x0, x1, t: at, random });
  return valuesOf([built.velocityLoss, built.divergenceLoss ?? built.velocityLoss]).map((one) => one[0]);
}

describe.each(paths.map((path) => [label(path), path] as const))("weighted on %s", (_name, path) => {
  const values = path.at(t);
  const x = pointOnPath(values, x0, x1);
  const v = field(x, t);
  const { alpha, sigma, alphaRate, sigmaRate } = values;
  const determinant = subtract(multiply(alphaRate, sigma), multiply(sigmaRate, alpha));
  const rows = (of: Node) => valuesOf([of])[0];

  test("by noise and by data the loss is the mean square of their errors", () => {
    const noise = divide(subtract(multiply(alphaRate, x), multiply(alpha, v)), determinant);
    const data = divide(subtract(multiply(sigma, v), multiply(sigmaRate, x)), determinant);
    for (const [by, error] of [
      ["noise", subtract(noise, x0)],
      ["data", subtract(data, x1)],
    ] as const) {
      const exact = rows(square(error)).reduce((a, b) => a + b, 0) / (D * times.length);
      expect(squaresOf(weighted(cfm(), { by }), path)[0] / exact).toBeCloseTo(1, 9);
    }
  });

  test("by min-snr and by a weight of one's own each row has that factor, and so has a squared residual", () => {
    const det = rows(determinant);
    const [a, s] = [rows(alpha), rows(sigma)];
    const own = defineWeight({ name: "own", weight: (time) => add(square(time), 0.25) });
    for (const by of ["min-snr", own] as const) {
      times.forEach((time, row) => {
        const one = [(node: Node) => numbers([...rows(node).slice(row * D, (row + 1) * D)], [1, D])] as const;
        const [noise, points] = [one[0](x0), one[0](x1)];
        const exactly = fdm({ estimator: "exact" });
        const built = [exactly, weighted(exactly, { by })].map((loss) => {
          const { velocityLoss, divergenceLoss } = loss.build({
            ...{ network: field, path, x0: noise, x1: points, t: numbers([time], [1, 1]), random },
          });
          return valuesOf([velocityLoss, divergenceLoss as Node]).map((value) => value[0]);
        });
        const w = by === own ? time ** 2 + 0.25 : Math.min(a[row] ** 2, 5 * s[row] ** 2) / det[row] ** 2;
        expect(built[1][0] / built[0][0] / w).toBeCloseTo(1, 9);
        expect(built[1][1] / built[0][1] / w).toBeCloseTo(1, 9);
      });
    }
  });

  test.each(lossWeights)('by "%s" it is finite at all times that are drawn, in f32', (by) => {
    const drawn = [0, 2 ** -24, 2 ** -12, 0.5, 1 - 2 ** -24];
    const points = (f: (i: number) => number) =>
      numbers(
        Array.from({ length: D * drawn.length }, (_, i) => f(i)),
        [drawn.length, D],
      );
    const built = weighted(fdm({ estimator: "exact" }), { by }).build({
      ...{ network: field, path, random, t: numbers(drawn, [drawn.length, 1]) },
      ...{ x0: points(Math.sin), x1: points(Math.cos) },
    });
    expect(Number.isFinite(valuesOf([built.loss], new Map(), "f32")[0][0])).toBe(true);
  });
});

test("on ve, by noise is 1 / sigma'^2", () => {
  const [rate] = valuesOf([ve().at(t).sigmaRate]);
  const own = weighted(cfm(), { by: "noise" });
  const [plain, weighed] = [cfm(), own].map(
    (loss) =>
      squaresOf(
        loss,
        ve(),
        numbers(
          times.map(() => 0.5),
          [5, 1],
        ),
      )[0],
  );
  expect(plain / weighed / valuesOf([ve().at(numbers([0.5], [1, 1])).sigmaRate])[0][0] ** 2).toBeCloseTo(1, 9);
  expect(rate.length).toBe(times.length);
});

test("a residual with weight dilation keeps its weight: the clock cancels there", () => {
  const loss = fdm({ estimator: "exact", weight: "dilation" });
  const [, plain] = squaresOf(loss, ve());
  const [, weighed] = squaresOf(weighted(loss, { by: "noise" }), ve());
  expect(weighed / plain).toBeCloseTo(1, 9);
});

describe("even times", () => {
  /** The times at which a network is asked. */
  function asked(rows: number, first: number) {
    let seen: number[] = [];
    const loss = weighted(cfm(), { times: "even" });
    const column = (value: number) =>
      numbers(
        Array.from({ length: rows }, () => value),
        [rows, 1],
      );
    loss.build({
      network: (x, time) => {
        seen = [...valuesOf([time], new Map(), "f32")[0]];
        return x;
      },
      ...{ path: condOT(), x0: column(0.5), x1: column(1), random },
      t: numbers([first, ...Array.from({ length: rows - 1 }, (_, i) => (i * 0.37) % 1)], [rows, 1]),
    });
    return seen;
  }

  test.each([1, 2, 3, 64, 500, 512])("of a batch of %i are as far apart as can be, and in [0, 1)", (rows) => {
    for (const first of [0, 0.3137, 1 - 2 ** -24]) {
      const seen = asked(rows, first).sort((a, b) => a - b);
      expect(seen.length).toBe(rows);
      expect(seen[0]).toBeGreaterThanOrEqual(0);
      expect(seen[rows - 1]).toBeLessThan(1);
      seen.forEach((time, i) => {
        const gap = i === 0 ? time + 1 - seen[rows - 1] : time - seen[i - 1];
        expect(Math.abs(gap - 1 / rows)).toBeLessThan(3e-7);
      });
    }
  });

  test("the first eighth of a batch is spread too: no gap of more than three of its own", () => {
    const seen = asked(512, 0.2)
      .slice(0, 64)
      .sort((a, b) => a - b);
    const gaps = seen.map((time, i) => (i === 0 ? time + 1 - seen[63] : time - seen[i - 1]));
    expect(Math.max(...gaps)).toBeLessThan(3 / 64);
  });

  test("a batch's mean over them varies less", () => {
    const means = Array.from({ length: 40 }, (_, i) => {
      const seen = asked(64, (i * 0.618034) % 1);
      return seen.reduce((total, time) => total + time ** 2, 0) / 64;
    });
    const mean = means.reduce((a, b) => a + b) / 40;
    expect(mean).toBeCloseTo(1 / 3, 3);
    // Drawn one by one: 0.298 / 8 = 0.037.
    expect(Math.max(...means.map((one) => Math.abs(one - mean)))).toBeLessThan(0.01);
  });
});

test("a weighted loss's name and options make it again, its own weight too", async () => {
  const own = defineWeight({ name: "own", weight: (time) => add(square(time), 0.25) });
  for (const by of [...lossWeights, own]) {
    const loss = weighted(fdm({ divergence: 0.2, probes: 2 }), { by, times: "even" });
    const again = await lossOf(JSON.parse(JSON.stringify({ name: loss.name, options: loss.options })));
    expect(again.options).toEqual(loss.options);
    const exactly = weighted(cfm(), { by, times: "even" });
    const made = await lossOf(JSON.parse(JSON.stringify({ name: exactly.name, options: exactly.options })));
    expect(squaresOf(made, vp())).toEqual(squaresOf(exactly, vp()));
  }
});

test("with weight 1 and times as drawn a weighted loss is the loss", () => {
  expect(squaresOf(weighted(fdm({ estimator: "exact" })), condOT())).toEqual(
    squaresOf(fdm({ estimator: "exact" }), condOT()),
  );
});

test.each<[string, () => unknown]>([
  ["output of withOutput", () => withOutput("logits" as "data", vp())],
  ["path of withOutput", () => withOutput("data", withOutput("noise", vp()))],
  ["path of withOutput", () => withOutput("data", undefined as unknown as PathScheduler)],
  ["dataDeviation of withOutput", () => withOutput("data", vp(), { dataDeviation: 0 })],
  ["by of weighted", () => weighted(cfm(), { by: "snr" as "noise" })],
  ["times of weighted", () => weighted(cfm(), { times: "odd" as "even" })],
  ["loss of weighted", () => weighted(weighted(cfm()))],
  ["loss of weighted", () => weighted(undefined as unknown as Loss)],
  ['weight "w" at t = 0', () => defineWeight({ name: "w", weight: (time) => divide(1, time) })],
  ['weight "w" at t = 0', () => defineWeight({ name: "w", weight: (time) => subtract(time, 0.5) })],
  ['weight "w"', () => defineWeight({ name: "w", weight: (time) => sum(time, [0]) })],
])("a wrong %s is refused", (subject, make) => {
  expect(make).toThrow(ConfigError);
  expect(make).toThrow(`${subject}: got `);
});
