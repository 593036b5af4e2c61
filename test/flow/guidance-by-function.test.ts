// Guidance by functions where all is known: of normal data, an event C > 0 with linear C and a weight exp(b . x) have exact
// fields, those of the truncated and of the shifted normal distribution.
import { describe, expect, test } from "vitest";
import {
  completeEvent,
  type EventOptions,
  eventEstimate,
  guidedVelocity,
  rowGradient,
  tweedie,
} from "../../src/flow/guidance/by-function.ts";
import { defineGuidance } from "../../src/flow/guidance/define-guidance.ts";
import { openGuidance } from "../../src/flow/guidance/graph-guidance.ts";
import { guidedByWeight, knownGradient, replacedField } from "../../src/flow/guidance/guided-field.ts";
import { mixtureField, mixtureMarginal } from "../../src/flow/mixture.ts";
import { condOT } from "../../src/flow/paths/cond-ot.ts";
import { cosine } from "../../src/flow/paths/cosine.ts";
import { linearVP } from "../../src/flow/paths/linear-vp.ts";
import type { PathScheduler } from "../../src/flow/paths/path.ts";
import { polynomial } from "../../src/flow/paths/polynomial.ts";
import { ve } from "../../src/flow/paths/ve.ts";
import { vp } from "../../src/flow/paths/vp.ts";
import { windowOf } from "../../src/flow/paths/window.ts";
import type { Node } from "../../src/graph/node.ts";
import { initialParameters } from "../../src/nn/initialize.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { add, log, multiply, subtract } from "../../src/ops/arithmetic.ts";
import { mean, sum } from "../../src/ops/reduce.ts";
import { slice } from "../../src/ops/shape.ts";
import { normalCdf, normalDensity } from "../../src/ops/special.ts";
import { numbers, type Precision, relativeError, valuesOf, variable } from "./evaluate.ts";

const paths: readonly PathScheduler[] = [condOT(), cosine(), linearVP(), vp(), polynomial(), ve()];
const named = paths.map((path) => [path.name, path] as const);

/** Data N(0, 0.8) in 1-D, guided to x1 > 0.5. */
const [variance, threshold] = [0.8, 0.5];
const normal = { weights: numbers([1]), means: numbers([0], [1, 1]), variances: numbers([variance], [1, 1]) };
const beyond = (samples: Node) => subtract(multiply(samples, 2), 2 * threshold); // its scale must not matter
const points = [-4, -1.5, -0.3, 0, 0.4, 0.9, 2.2];

/** Guided and plain values at the points, all at time t. */
function atTime(path: PathScheduler, t: number, options: EventOptions, precision: Precision = "f64") {
  const x = variable("x", [points.length, 1]);
  const at = path.at(
    numbers(
      points.map(() => t),
      [points.length, 1],
    ),
  );
  const { velocity } = mixtureMarginal(normal, at, x);
  const event = eventEstimate(beyond, tweedie(velocity, x, at), x, at, options);
  const guided = guidedVelocity(velocity, event.gradient, at, 1);
  const nodes = { ...at, guided, std: event.std, logProbability: event.logProbability, gradient: event.gradient };
  const values = valuesOf(Object.values(nodes), new Map([["x", points]]), precision);
  return Object.fromEntries(Object.keys(nodes).map((name, i) => [name, Array.from(values[i])])) as Record<
    keyof typeof nodes,
    number[]
  >;
}

/** phi / Phi, by its continued fraction where Phi is tiny. */
function inverseMills(z: number): number {
  if (z > -6) return normalDensity(z) / normalCdf(z);
  let tail = -z;
  for (let k = 200; k >= 1; k--) tail = -z + k / tail;
  return tail;
}

describe.each(named)("on %s", (name, path) => {
  // Far below the threshold z is -40 and less: there the normal distribution's own probability is no f32, nor f64.
  test.each([
    ["f64", 1e-6], // the error function's approximation
    ["f32", 2e-5],
  ] as const)(
    "the event by the normal link has the truncated distribution's own velocity, in %s",
    (precision, tolerance) => {
      for (const t of [0.15, 0.3, 0.6, 0.9, 0.97]) {
        const { alpha, sigma, alphaRate, sigmaRate, guided, std } = atTime(
          path,
          t,
          { link: "normal", offset: 1e-12 },
          precision,
        );
        const [a, s, a1, s1] = [alpha, sigma, alphaRate, sigmaRate].map(([value]) => value as number) as [
          number,
          number,
          number,
          number,
        ];
        const spread = (s * s * variance) / (a * a * variance + s * s); // of x1, given x
        const expected = points.map((x) => {
          const center = (a * variance * x) / (a * a * variance + s * s);
          const data = center + Math.sqrt(spread) * inverseMills((center - threshold) / Math.sqrt(spread));
          return a1 * data + (s1 * (x - a * data)) / s;
        });
        expect(
          relativeError(
            std,
            points.map(() => 2 * Math.sqrt(spread)),
          ),
          `std, ${name}, t = ${t}`,
        ).toBeLessThan(tolerance);
        expect(relativeError(guided, expected), `velocity, ${name}, t = ${t}`).toBeLessThan(tolerance);
      }
    },
  );

  test("std held or not is the same where it does not depend on x", () => {
    for (const link of ["sigmoid", "normal"] as const) {
      const [held, full] = (["held", "full"] as const).map((std) => atTime(path, 0.4, { link, std }).gradient);
      expect(relativeError(held, full), link).toBeLessThan(1e-12);
    }
  });

  // log E[exp(b x1) | x] = b xhat + b^2 var(x1 | x) / 2, of which the second term does not depend on x.
  test("the weight exp(b x) has the shifted distribution's own velocity", () => {
    const b = 1.7;
    const x = variable("x", [points.length, 1]);
    const at = path.at(
      numbers(
        points.map(() => 0.4),
        [points.length, 1],
      ),
    );
    const { velocity } = mixtureMarginal(normal, at, x);
    const guided = guidedVelocity(velocity, rowGradient(multiply(tweedie(velocity, x, at), b), x), at, 1);
    const shifted = { ...normal, means: numbers([b * variance], [1, 1]) };
    const own = mixtureMarginal(shifted, at, x).velocity;
    const [actual, expected] = valuesOf([guided, own], new Map([["x", points]]));
    expect(relativeError(actual, expected)).toBeLessThan(1e-12);
  });

  // An event that does not depend on the sample, one far away, a sample known: times at both ends and next to them.
  test("what guides a learned field is finite at all times, and next to nothing where alpha is 0", () => {
    const network = mlp({ dimension: 2, hidden: [8] });
    const views = parameterViews(numbers(initialParameters(network, 3)), parameterLayout(network));
    const field = (x: Node, t: Node) => network.apply(views, x, t);
    const times = [0, 1e-7, 1e-3, 0.5, 1 - 1e-3, 1 - 2 ** -24, 1];
    const x = numbers(
      times.flatMap((t) => [3 * t - 1, 2]),
      [times.length, 2],
    );
    const t = numbers(times, [times.length, 1]);
    const far = (samples: Node) => subtract(slice(samples, 1, 0, 1), 1e3);
    const still = (samples: Node) => subtract(multiply(slice(samples, 1, 0, 1), 0), 1);
    const window = windowOf(path);
    const known = {
      values: numbers(
        times.flatMap(() => [5, -5]),
        x.shape,
      ),
      mask: numbers(
        times.flatMap(() => [1, 0]),
        x.shape,
      ),
    };
    const fields = [
      ...[far, still].flatMap((statistic) =>
        (["sigmoid", "normal"] as const).map((link) =>
          guidedByWeight(
            field,
            path,
            (data, at, values) => eventEstimate(statistic, data, at, values, { link }).gradient,
            window,
          ),
        ),
      ),
      guidedByWeight(field, path, knownGradient(known), window),
      replacedField(field, path, { ...known, noise: x }, window),
    ];
    for (const precision of ["f64", "f32"] as const) {
      const [plain, ...guided] = valuesOf(
        [field, ...fields].map((each) => each(x, t)),
        new Map(),
        precision,
      );
      for (const values of guided) expect(values.every(Number.isFinite), `${values}`).toBe(true);
      // Of what does not depend on the sample there is no gradient; and before the window there is no guidance.
      for (const still of guided.slice(2, 4)) expect(relativeError(still, plain)).toBe(0);
      if (window[0] > 0) expect(Array.from(guided[0].slice(0, 4))).toEqual(Array.from(plain.slice(0, 4)));
    }
  });
});

test("fields are guided while alpha is at least 0.002, and as where sigma is 0.001 until the end", () => {
  const [first, last] = windowOf(condOT());
  expect(first).toBeGreaterThanOrEqual(0.002);
  expect(first).toBeLessThan(0.00215);
  expect(last).toBeLessThanOrEqual(0.999);
  expect(last).toBeGreaterThan(0.9988);
  expect(windowOf(ve())).toEqual([0, 1]);
  expect(windowOf(vp())[0]).toBe(0);
  expect(windowOf(polynomial())[0]).toBeCloseTo(Math.cbrt(0.002), 1);
});

test.each([1, 4])("known coordinates of normal data of variance %d, apart from each other, are guided exactly", (c) => {
  const data = { weights: numbers([1]), means: numbers([0, 0], [1, 2]), variances: numbers([c, c], [1, 2]) };
  const [rows, t, y] = [points.length, 0.4, 1.3];
  const x = variable("x", [rows, 2]);
  const known = {
    values: numbers(
      points.flatMap(() => [y, 7]),
      [rows, 2],
    ),
    mask: numbers(
      points.flatMap(() => [1, 0]),
      [rows, 2],
    ),
  };
  const field = guidedByWeight(mixtureField(data, condOT()), condOT(), knownGradient(known, c), windowOf(condOT()));
  const given = points.flatMap((point) => [point, -point]);
  const [actual] = valuesOf(
    [
      field(
        x,
        numbers(
          points.map(() => t),
          [rows, 1],
        ),
      ),
    ],
    new Map([["x", given]]),
  );
  const free = (point: number) => (point * (t * c - (1 - t))) / (t * t * c + (1 - t) ** 2);
  const expected = points.flatMap((point) => [(y - point) / (1 - t), free(-point)]);
  expect(relativeError(actual, expected)).toBeLessThan(1e-12);
});

describe("defineGuidance", () => {
  const inside = {
    name: "inside",
    build: ({ samples }: { samples: Node }) => subtract(1, sum(multiply(samples, samples), [1, 2])),
  };

  test("gives a graph of samples of their shape, whose values are the function's", () => {
    const { options } = defineGuidance({ name: "inside", build: ({ samples }) => mean(samples, [1, 2]) }).forSamples([
      3, 2,
    ]);
    const plain = structuredClone(options);
    const { value, kind, ...rest } = openGuidance(plain, [3, 2]);
    expect({ kind, ...rest }).toEqual({ kind: "event", name: "inside", ...completeEvent({}) });
    const [found] = valuesOf([value(numbers([1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 12], [2, 6]))]);
    expect(Array.from(found)).toEqual([3.5, 2]);
    expect(() => openGuidance(plain, [2, 3])).toThrow('guidance "inside", inputs, 0');
    expect(() => openGuidance({ ...plain, slope: 2 }, [3, 2])).toThrow(/guidance "inside", checksum/);
  });

  test.each<[string, object, RegExp]>([
    [
      "a result of rows mixed",
      { ...inside, build: ({ samples }: { samples: Node }) => mean(samples, [0]) },
      /result of guidance "inside": got "f32 \[1, 3, 2\]"/,
    ],
    ["no node", { ...inside, build: () => 3 }, /result of guidance "inside": got "?3/],
    ["a name that is none", { ...inside, name: "" }, /name of defineGuidance/],
    ["no function", { name: "inside" }, /build of guidance "inside": got "?undefined/],
    [
      "another kind",
      { ...inside, kind: "weight" },
      /kind of guidance "inside": got "weight", expected one of event, log-weight/,
    ],
    ["another link", { ...inside, link: "probit" }, /link of guidance "inside": got "probit"/],
    ["a slope below 0", { ...inside, slope: -1 }, /slope of guidance "inside"/],
    ["no offset", { ...inside, offset: 0 }, /offset of guidance "inside"/],
    ["another std", { ...inside, std: "free" }, /std of guidance "inside"/],
    [
      "an event's option of a weight",
      { ...inside, kind: "log-weight", slope: 2 },
      /slope of guidance "inside": got 2.*beside kind "log-weight"/,
    ],
  ])("%s is refused", (_, definition, message) => {
    expect(() => defineGuidance(definition as never).forSamples([3, 2])).toThrow(message);
  });

  test("a log-weight is what it says", () => {
    const weight = defineGuidance({
      name: "w",
      kind: "log-weight",
      build: ({ samples }) => log(add(slice(samples, 1, 0, 1), 3)),
    });
    const { value, kind } = openGuidance(weight.forSamples([2]).options, [2]);
    expect(kind).toBe("log-weight");
    expect(valuesOf([value(numbers([1, 0], [1, 2]))])[0][0]).toBeCloseTo(Math.log(4), 12);
  });
});
