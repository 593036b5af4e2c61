// Entropic plans: against fixtures, against Sinkhorn's algorithm in logarithms, at both ends of the regularisation.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ConfigError, DataError, NumericError } from "../../src/errors.ts";
import { assignment } from "../../src/transport/assignment.ts";
import { squaredDistances } from "../../src/transport/cost.ts";
import { type EntropicPlan, sinkhorn } from "../../src/transport/sinkhorn.ts";
import { cloud, uniforms } from "./clouds.ts";

const golden = new URL("golden/", import.meta.url);
const fixtures = readdirSync(golden).filter((name) => name.startsWith("sinkhorn"));

const farthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

function marginals({ plan, shape: [rows, columns] }: EntropicPlan) {
  const [ofRows, ofColumns] = [new Float64Array(rows), new Float64Array(columns)];
  plan.forEach((share, at) => {
    ofRows[Math.floor(at / columns)] += share;
    ofColumns[at % columns] += share;
  });
  return { ofRows, ofColumns };
}

/** Off by, summed over rows and over columns. */
function offBy(result: EntropicPlan, rows?: readonly number[], columns?: readonly number[]): number {
  const { ofRows, ofColumns } = marginals(result);
  const sum = (found: Float64Array, wanted?: readonly number[]) =>
    found.reduce((off, value, i) => off + Math.abs(value - (wanted?.[i] ?? 1 / found.length)), 0);
  return sum(ofRows, rows) + sum(ofColumns, columns);
}

/** The textbook's: potentials by logarithms of sums, nothing scaled. */
function inLogarithms(cost: Float64Array, n: number, regularisation: number, sweeps: number): Float64Array {
  const [f, g] = [new Float64Array(n), new Float64Array(n)];
  const soft = (terms: number[]) => {
    const most = Math.max(...terms);
    return most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0));
  };
  const all = Array.from({ length: n }, (_, i) => i);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (const i of all)
      f[i] = -regularisation * (Math.log(n) + soft(all.map((j) => (g[j] - cost[i * n + j]) / regularisation)));
    for (const j of all)
      g[j] = -regularisation * (Math.log(n) + soft(all.map((i) => (f[i] - cost[i * n + j]) / regularisation)));
  }
  return cost.map((value, at) => Math.exp((f[Math.floor(at / n)] + g[at % n] - value) / regularisation));
}

test.each(fixtures)("%s: the plan, its cost and its marginals", (name) => {
  const { inputs, attributes, expected } = JSON.parse(readFileSync(new URL(name, golden), "utf8"));
  const points = ({ data, shape }: { data: number[]; shape: number[] }) => ({ values: data, shape });
  const result = sinkhorn(points(inputs.x0), points(inputs.x1), {
    regularisation: attributes.regularisation,
    tolerance: 1e-14,
  });
  expect(farthest(result.plan, expected.plan.data)).toBeLessThan(2e-12); // the file's digits, of entries up to 0.1
  expect(result.cost).toBeCloseTo(expected.transportCost.data[0], 10);
  expect(offBy(result)).toBeLessThan(1e-13);
});

describe("is what the textbook's algorithm in logarithms gives", () => {
  test.each([
    [20, 1, 0.3, 1],
    [12, 3, 1, 1],
    [25, 2, 20, 1],
    [9, 2, 0.05, 0.3],
  ])("%i points of dimension %i, regularisation %f, deviation %f", (n, dimension, regularisation, scale) => {
    const cost = squaredDistances(cloud(n, dimension, 5, { scale }), cloud(n, dimension, 6, { scale }));
    const result = sinkhorn({ values: cost.values, shape: [n, n] }, { regularisation, tolerance: 1e-13 });
    expect(farthest(result.plan, inLogarithms(cost.values, n, regularisation, 4000))).toBeLessThan(1e-11);
  });
});

describe("at a regularisation", () => {
  test.each([
    [2, 0.05],
    [2, 0.005],
    [8, 0.05],
    [3, 0.5],
    [2, 100],
    [64, 5],
  ])(
    "in dimension %i, %f: marginals within the tolerance, and potentials that give the plan",
    (dimension, regularisation) => {
      const [x, y] = [cloud(96, dimension, 1), cloud(80, dimension, 2, { shift: 1 })];
      const cost = squaredDistances(x, y).values;
      const result = sinkhorn(x, y, { regularisation, tolerance: 1e-9 });
      expect(result.converged).toBe(true);
      expect(offBy(result)).toBeLessThan(1.01e-9);
      const { plan, rowPotentials, columnPotentials } = result;
      const implied = plan.map((_, at) =>
        Math.exp((rowPotentials[Math.floor(at / 80)] + columnPotentials[at % 80] - cost[at]) / regularisation),
      );
      expect(farthest(plan, implied)).toBeLessThan(1e-12);
      expect(result.cost).toBeCloseTo(
        plan.reduce((sum, share, at) => sum + share * cost[at], 0),
        10,
      );
    },
  );

  test("beyond all costs the plan is the product of the weights", () => {
    const { plan } = sinkhorn(cloud(10, 2, 1), cloud(7, 2, 2), { regularisation: 1e9 });
    expect(farthest(plan, new Float64Array(70).fill(1 / 70))).toBeLessThan(1e-9);
  });

  test("far below them its cost is the assignment's", () => {
    const [x, y] = [cloud(40, 2, 1), cloud(40, 2, 2)];
    const { cost } = sinkhorn(x, y, { regularisation: 1e-3, tolerance: 1e-6 });
    // The entropy of a plan of n^2 entries is between ln n and 2 ln n.
    const exact = assignment(x, y).cost / 40;
    expect(cost).toBeGreaterThan(exact - 1e-4);
    expect(cost).toBeLessThan(exact + 1e-3 * Math.log(40));
  });

  test("costs far from 0, of either sign, and far clouds are no trouble", () => {
    const values = squaredDistances(cloud(30, 2, 1), cloud(30, 2, 2)).values;
    const shape = [30, 30];
    const plan = sinkhorn({ values, shape }, { tolerance: 1e-12 }).plan;
    const moved = sinkhorn({ values: values.map((value) => value - 1e5), shape }, { tolerance: 1e-9 }).plan;
    expect(farthest(plan, moved)).toBeLessThan(1e-7);
    const far = sinkhorn(cloud(30, 2, 1), cloud(30, 2, 2, { shift: 100 }), { tolerance: 1e-9 });
    expect(farthest(plan, far.plan)).toBeLessThan(1e-7);
  });
});

test("weights are marginals, whatever their sum", () => {
  const uniform = uniforms(3);
  const [rowWeights, columnWeights] = [30, 20].map((count) => Array.from({ length: count }, () => 0.1 + uniform()));
  const result = sinkhorn(cloud(30, 2, 1), cloud(20, 2, 2), { rowWeights, columnWeights, tolerance: 1e-10 });
  const shares = (weights: number[]) => weights.map((weight) => weight / weights.reduce((a, b) => a + b, 0));
  expect(offBy(result, shares(rowWeights), shares(columnWeights))).toBeLessThan(1.1e-10);
});

// Scalings go beyond 1e8 here: without being absorbed they leave the kernel behind, and 10,000 passes end at an error of 0.03.
test("very unequal weights at a small regularisation are reached too", () => {
  const rowWeights = Array.from({ length: 40 }, (_, i) => (i % 7 === 0 ? 1e4 : 1));
  const sum = rowWeights.reduce((total, weight) => total + weight, 0);
  const result = sinkhorn(cloud(40, 2, 1), cloud(40, 2, 2), { regularisation: 1e-3, tolerance: 1e-6, rowWeights });
  const shares = rowWeights.map((weight) => weight / sum);
  expect(offBy(result, shares)).toBeLessThan(1.01e-6);
});

// Of such a column all entries are 0 where a level begins, unless its potential is moved.
test("a point that is far from all others gets its share", () => {
  const [x, y] = [cloud(60, 2, 1), cloud(60, 2, 2)];
  y.values.set([900, -400]);
  for (const regularisation of [5, 0.05]) {
    const result = sinkhorn(x, y, { regularisation, tolerance: 1e-8 });
    expect(offBy(result)).toBeLessThan(1.01e-8);
  }
});

describe("at the tolerance of couplings, relative to the mean cost", () => {
  test.each([1, 0.1, 0.01, 0.001])("%f: marginals within it, by a plan that is its potentials'", (relative) => {
    const [x, y] = [cloud(130, 2, 3), cloud(130, 2, 4)];
    const cost = squaredDistances(x, y).values;
    const regularisation = 4 * relative;
    const result = sinkhorn(x, y, { regularisation, tolerance: 1e-3 });
    expect(result.error).toBeLessThan(1e-3);
    expect(offBy(result)).toBeLessThan(1.01e-3);
    const { plan, rowPotentials, columnPotentials } = result;
    const implied = plan.map((_, at) =>
      Math.exp((rowPotentials[Math.floor(at / 130)] + columnPotentials[at % 130] - cost[at]) / regularisation),
    );
    expect(farthest(plan, implied)).toBeLessThan(1e-13);
    expect(result.iterations).toBeLessThan(400); // measured once: 5, 26, 126 and 254
  });

  // Measured once: 164 on average. Where levels on the way are left at an error of 0.05 instead of 0.01 it is 1,373.
  test("no batch of 512 takes thousands of passes", () => {
    let passes = 0;
    for (let seed = 1; seed <= 6; seed++) {
      const options = { regularisation: 0.012, tolerance: 1e-3 };
      passes += sinkhorn(cloud(512, 2, seed), cloud(512, 2, seed + 100), options).iterations / 6;
    }
    expect(passes).toBeLessThan(400);
  });
});

test("of equal inputs equal bits, and a looser tolerance is fewer passes", () => {
  const [x, y] = [cloud(64, 2, 1), cloud(64, 2, 2)];
  const [one, other] = [sinkhorn(x, y), sinkhorn(x, y)];
  expect(one.plan).toEqual(other.plan);
  expect(sinkhorn(x, y, { tolerance: 1e-2 }).iterations).toBeLessThan(one.iterations);
});

// What plain sweeps would take, measured once: 1,500 and no end; so Newton's part is at work.
test("where mass moves with difficulty it takes hundreds of passes, not tens of thousands", () => {
  const { iterations } = sinkhorn(cloud(128, 2, 1), cloud(128, 2, 2), { regularisation: 0.01, tolerance: 1e-9 });
  expect(iterations).toBeLessThan(3000);
});

describe("what does not converge", () => {
  const [x, y] = [cloud(50, 2, 1), cloud(50, 2, 2)];

  test("is an error that says how far it came", () => {
    expect(() => sinkhorn(x, y, { tolerance: 1e-12, iterations: 60 })).toThrow(NumericError);
    expect(() => sinkhorn(x, y, { tolerance: 1e-12, iterations: 60 })).toThrow(
      /an error of \d.*e-\d after \d+ passes.*the tolerance, 1e-12.*unconverged/,
    );
  });

  test("or a plan that says so, whose error is told", () => {
    const result = sinkhorn(x, y, { tolerance: 1e-12, iterations: 60, unconverged: "return" });
    expect(result.converged).toBe(false);
    expect(result.error).toBeGreaterThan(1e-12);
    expect(offBy(result)).toBeLessThanOrEqual(result.error * (1 + 1e-9));
  });
});

describe("refuses", () => {
  const x = [[0], [1]];
  test.each<[string, () => unknown, RegExp]>([
    ["a regularisation of 0", () => sinkhorn(x, x, { regularisation: 0 }), /regularisation: got 0/],
    ["one of NaN", () => sinkhorn(x, x, { regularisation: Number.NaN }), /regularisation/],
    ["a tolerance below f64", () => sinkhorn(x, x, { tolerance: 0 }), /tolerance/],
    ["a misspelt option", () => sinkhorn(x, x, { regularization: 1 } as never), /regularisation\?/],
    ["a weight of 0", () => sinkhorn(x, x, { rowWeights: [1, 0] }), /rowWeights.*2 positive numbers/],
    ["too few weights", () => sinkhorn(x, x, { columnWeights: [1] }), /columnWeights/],
    ["an infinite cost", () => sinkhorn([[Infinity]]), /row 0, column 0/],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(ConfigError);
    expect(call).toThrow(message);
  });

  test("points of other dimensions", () => {
    expect(() => sinkhorn([[0]], [[0, 1]])).toThrow(DataError);
  });
});
