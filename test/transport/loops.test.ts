// The loops of optimal transport: what they compute, by plain sums; with vectors and without the same bits.
import { afterEach, describe, expect, test, vi } from "vitest";
import { squaredDistances } from "../../src/transport/cost.ts";
import { drawPairs } from "../../src/transport/draw-pairs.ts";
import { expOfDouble, expOfSingle, type Kernel, logOf, plainLoops } from "../../src/transport/loops.ts";
import { planning, sinkhorn } from "../../src/transport/sinkhorn.ts";
import { narrowed, widened, widthOf, workspaceOf } from "../../src/transport/workspace.ts";
import { cloud, normals } from "./clouds.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  vi.resetModules();
});

const shapes = [
  [1, 1],
  [3, 5],
  [5, 16],
  [7, 17],
  [40, 50],
] as const;
const precisions = ["f64", "f32"] as const;

/** Numbers in a workspace's memory, and the same outside. */
function given(rows: number, columns: number, precision: (typeof precisions)[number]) {
  const width = widthOf(columns);
  const workspace = workspaceOf(2 ** 20);
  const normal = normals(rows + 100 * columns);
  const twice = <Values extends Kernel>(inside: Values, values: ArrayLike<number>) => {
    inside.set(values);
    return [inside, inside.slice() as Values] as const;
  };
  const list = (count: number, value: () => number) => Array.from({ length: count }, value);
  const ofColumns = (values: readonly number[]) => twice(workspace[precision](width), values);
  const cost = Float64Array.from(list(rows * columns, () => 3 * normal() ** 2));
  const kernel = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) kernel[i * width + j] = Math.exp(3 * normal());
  return {
    ...{ width, loops: workspace.loops, cost, twice, workspace },
    costs: twice(workspace.f64(rows * width), widened(cost, rows, columns, new Float64Array(rows * width))),
    kernels: twice(workspace[precision](rows * width), kernel),
    f: twice(workspace.f64(rows), list(rows, normal)),
    g: twice(workspace.f64(width), list(columns, normal)),
    ofRows: () =>
      twice(
        workspace.f64(rows),
        list(rows, () => Math.exp(normal())),
      ),
    ofColumns: () => ofColumns(list(columns, () => Math.exp(normal()))),
  };
}

/** Rounding of f32 sums of some tens of numbers, or of f64 ones. */
const closeness = { f64: 1e-14, f32: 2e-6 };
function expectClose(found: ArrayLike<number>, wanted: readonly number[], relative: number): void {
  for (const [i, value] of wanted.entries()) {
    expect(Math.abs(found[i] - value)).toBeLessThanOrEqual(relative * Math.abs(value));
  }
}

test("here the loops have vectors", () => {
  expect(workspaceOf(1000).loops).not.toBe(plainLoops);
});

test.each([...shapes, [9, 33] as const])("squared distances, %i x %i", (rows, columns) => {
  for (const dimension of [1, 2, 3, 4, 7, 8]) {
    const { loops, twice, workspace, width } = given(rows, columns, "f64");
    const [x, y] = [cloud(rows, dimension, 1).values, cloud(columns, dimension, 2).values];
    const blocks = new Float64Array(width * dimension);
    for (let j = 0; j < columns; j++) {
      for (let k = 0; k < dimension; k++) {
        blocks[(Math.floor(j / 4) * dimension + k) * 4 + (j % 4)] = y[j * dimension + k];
      }
    }
    const [inside, outside] = twice(workspace.f64(rows * width), new Float64Array(rows * width));
    const from = twice(workspace.f64(x.length), x);
    const to = twice(workspace.f64(blocks.length), blocks);
    loops.distances(from[0], to[0], rows, width, dimension, inside);
    plainLoops.distances(from[1], to[1], rows, width, dimension, outside);
    expect(inside).toEqual(outside);
    const wanted = Array.from({ length: rows * columns }, (_, at) => {
      let sum = 0;
      for (let k = 0; k < dimension; k++) {
        sum += (x[Math.floor(at / columns) * dimension + k] - y[(at % columns) * dimension + k]) ** 2;
      }
      return sum;
    });
    expectClose(narrowed(inside, rows, columns), wanted, 1e-14);
    expect(
      squaredDistances({ values: x, shape: [rows, dimension] }, { values: y, shape: [columns, dimension] }),
    ).toEqual({ values: narrowed(inside, rows, columns), rows, columns });
  }
});

describe.each(precisions)("a kernel in %s", (precision) => {
  test.each(shapes)("%i x %i: what it is of potentials and costs", (rows, columns) => {
    const { loops, costs, cost, kernels, f, g, width } = given(rows, columns, precision);
    loops.kernel(costs[0], rows, width, f[0], g[0], 1.7, kernels[0]);
    plainLoops.kernel(costs[1], rows, width, f[1], g[1], 1.7, kernels[1]);
    expect(kernels[0]).toEqual(kernels[1]);
    const wanted = Array.from(cost, (value, at) => {
      const exponent = (f[1][Math.floor(at / columns)] + g[1][at % columns] - value) * 1.7;
      return exponent < (precision === "f64" ? -74 : -44) ? 0 : Math.exp(exponent);
    });
    // Half a unit of an exponent of size 44, in f32.
    expectClose(narrowed(Float64Array.from(kernels[0]), rows, columns), wanted, precision === "f64" ? 1e-14 : 4e-6);
  });

  test.each(shapes)("%i x %i: a sweep, and products from both sides", (rows, columns) => {
    const { loops, kernels, width, ofRows, ofColumns, workspace, twice } = given(rows, columns, precision);
    const relative = closeness[precision];
    const [a, b, weights] = [ofRows(), ofColumns(), ofRows()];
    const rowsOf = Array.from({ length: rows }, (_, i) => i);
    const columnsOf = Array.from({ length: columns }, (_, j) => j);
    const timesB = rowsOf.map((i) => columnsOf.reduce((sum, j) => sum + kernels[1][i * width + j] * b[1][j], 0));
    const wantedOff = rowsOf.reduce((sum, i) => sum + Math.abs(a[1][i] * timesB[i] - weights[1][i]), 0);
    const wantedA = rowsOf.map((i) => weights[1][i] / timesB[i]);
    const ofA = (x: ArrayLike<number>) =>
      columnsOf.map((j) => rowsOf.reduce((sum, i) => sum + kernels[1][i * width + j] * x[i], 0));

    const products = twice(workspace.f64(rows), new Float64Array(rows));
    loops.times(kernels[0], rows, width, b[0], products[0]);
    plainLoops.times(kernels[1], rows, width, b[1], products[1]);
    expect(products[0]).toEqual(products[1]);
    expectClose(products[0], timesB, relative);

    const sums = ofColumns().map((array) => array.fill(0));
    loops.transposed(kernels[0], rows, width, a[0], sums[0]);
    plainLoops.transposed(kernels[1], rows, width, a[1], sums[1]);
    expect(sums[0]).toEqual(sums[1]);
    expectClose(sums[0], ofA(a[1]), relative);

    for (const array of sums) array.fill(0);
    const off = loops.sweep(kernels[0], rows, width, b[0], weights[0], a[0], sums[0]);
    expect(plainLoops.sweep(kernels[1], rows, width, b[1], weights[1], a[1], sums[1])).toBe(off);
    expect(a[0]).toEqual(a[1]);
    expect(sums[0]).toEqual(sums[1]);
    expect(Math.abs(off / wantedOff - 1)).toBeLessThan(rows * relative * 10);
    expectClose(a[0], wantedA, relative);
    expectClose(sums[0], ofA(a[1]), relative);
  });
});

test.each(shapes)("%i x %i: where a level begins, and the plan at its end", (rows, columns) => {
  const { loops, costs, cost, kernels, f, g, width, ofRows, ofColumns, workspace, twice } = given(rows, columns, "f64");
  const nearest = twice(workspace.f64(width), new Float64Array(width).fill(-1e9));
  loops.begin(costs[0], rows, width, f[0], g[0], nearest[0]);
  plainLoops.begin(costs[1], rows, width, f[1], g[1], nearest[1]);
  expect(f[0]).toEqual(f[1]);
  expect(nearest[0].slice(0, columns)).toEqual(nearest[1].slice(0, columns));
  for (let i = 0; i < rows; i++) {
    const row = cost.slice(i * columns, (i + 1) * columns);
    expect(f[0][i]).toBe(Math.min(...row.map((value, j) => value - g[0][j])));
  }
  for (let j = 0; j < columns; j++) {
    const exponents = Array.from(f[0], (own, i) => own + g[0][j] - cost[i * columns + j]);
    expect(nearest[0][j]).toBe(Math.max(...exponents));
  }
  const [a, b] = [ofRows(), ofColumns() as readonly [Float64Array, Float64Array]];
  const wanted = Array.from(cost, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    return a[1][i] * kernels[1][i * width + j] * b[1][j];
  });
  const total = loops.plan(kernels[0] as Float64Array, costs[0], rows, width, a[0], b[0]);
  expect(plainLoops.plan(kernels[1] as Float64Array, costs[1], rows, width, a[1], b[1])).toBe(total);
  expect(kernels[0]).toEqual(kernels[1]);
  expect(narrowed(kernels[0] as Float64Array, rows, columns)).toEqual(Float64Array.from(wanted));
  const sum = wanted.reduce((all, share, at) => all + share * cost[at], 0);
  expect(Math.abs(total / sum - 1)).toBeLessThan(1e-13);
});

test("exp to the last place or the one before, 0 below exp(-74) or exp(-44)", () => {
  let [ofDoubles, ofSingles] = [0, 0];
  for (let x = -74; x <= 80; x += 0.0137) {
    ofDoubles = Math.max(ofDoubles, Math.abs(expOfDouble(x) / Math.exp(x) - 1));
    const rounded = Math.fround(x);
    if (x > -44) ofSingles = Math.max(ofSingles, Math.abs(expOfSingle(rounded) / Math.exp(rounded) - 1));
  }
  expect(ofDoubles).toBeLessThan(4.5e-16); // two units of numbers just above 1, of which Math.exp has one
  expect(ofSingles).toBeLessThan(1.2e-7);
  for (const exp of [expOfDouble, expOfSingle]) {
    expect(exp(0)).toBe(1);
    expect(exp(-43.9)).toBeGreaterThan(0);
    expect([-74.1, -1e308, Number.NEGATIVE_INFINITY, Number.NaN].map(exp)).toEqual([0, 0, 0, 0]);
  }
  expect(expOfDouble(-73.9)).toBeGreaterThan(0);
  expect(expOfSingle(-44.1)).toBe(0);
});

test("log to the last place or the one before, of any positive number", () => {
  let off = 0;
  for (let x = 1e-12; x < 1e12; x *= 1.0037) off = Math.max(off, Math.abs(logOf(x) / Math.log(x) - 1));
  for (const x of [5e-324, 1e-308, 0.5, 1 - 2 ** -53, 1 + 2 ** -52, 1.4142, 1.4143, 2, 1e300, Number.MAX_VALUE]) {
    off = Math.max(off, Math.abs(logOf(x) / Math.log(x) - 1));
  }
  expect(off).toBeLessThan(4.5e-16);
  expect([1, 0, Number.POSITIVE_INFINITY].map(logOf)).toEqual([0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  expect(logOf(-1)).toBeNaN();
});

// Made once in Node 20; the same in Deno and elsewhere, whatever Math.exp and Math.log are there.
test("the plan and the pairs of these numbers are these, on every platform", () => {
  const points = (begin: number) =>
    Array.from({ length: 60 }, (_, i) => [((begin + 7 * i) % 61) / 20, ((begin + 11 * i * i) % 67) / 20]);
  const found = [0.5, 0.01].map((regularisation) => {
    const plan = sinkhorn(points(1), points(5), { regularisation, tolerance: 1e-3 });
    const digits = plan.plan.reduce((hash, share) => (hash * 31 + share * 2 ** 70) % 2 ** 40, 0);
    return [digits, plan.iterations, drawPairs(plan, { seed: 4 }).columns.slice(0, 6).join()];
  });
  expect(found).toEqual([
    [954548166400, 18, "25,32,9,42,12,22"],
    [792519262212.5312, 279, "22,3,1,40,36,50"],
  ]);
});

test.each([
  [2, 5],
  [16, 3],
  [31, 4],
  [48, 1000],
])("the two least of %i columns, of %i values, and where they come first", (n, values) => {
  const width = widthOf(n);
  const { loops, workspace, twice } = given(1, 1, "f64");
  const normal = normals(n);
  for (let round = 0; round < 50; round++) {
    const some = () => Math.floor(values * Math.abs(normal()));
    const rows = widened(Float64Array.from({ length: 3 * n }, some), 3, n, new Float64Array(3 * width));
    const cost = twice(workspace.f64(3 * width), rows);
    const v = twice(workspace.f64(width), Array.from({ length: n }, some));
    const [found, plain] = [workspace.f64(4), new Float64Array(4)];
    for (let i = 0; i < 3; i++) {
      loops.twoLeast(cost[0], i, width, v[0], found);
      plainLoops.twoLeast(cost[1], i, width, v[1], plain);
      const order = Array.from({ length: n }, (_, j) => [rows[i * width + j] - v[1][j], j] as const);
      order.sort(([x, j], [y, k]) => x - y || j - k);
      const [[best, first], [next, second]] = order as [[number, number], [number, number]];
      expect([...found]).toEqual([best, next, first, second]);
      expect([...plain]).toEqual([best, next, first, second]);
    }
  }
});

/** The library's functions in a place like this one but for what was taken from it. */
async function elsewhere() {
  vi.resetModules();
  const [{ assignment }, { sinkhorn }, { drawPairs }, { workspaceOf }] = await Promise.all([
    import("../../src/transport/assignment.ts"),
    import("../../src/transport/sinkhorn.ts"),
    import("../../src/transport/draw-pairs.ts"),
    import("../../src/transport/workspace.ts"),
  ]);
  const [x, y] = [cloud(70, 2, 1), cloud(70, 2, 2, { shift: 4 })];
  const plans = [1, 0.02].map((regularisation) => sinkhorn(x, y, { regularisation, tolerance: 1e-3 }));
  return {
    plain: String(workspaceOf(1000).loops.distances).includes("%"),
    found: [
      plans,
      plans.map((plan) => drawPairs(plan, { seed: 3 })),
      assignment(x, y),
      assignment(cloud(61, 3, 1), cloud(61, 3, 2)),
    ],
  };
}

test("without WebAssembly, or without memory for it, all has the same bits", async () => {
  const here = await elsewhere();
  expect(here.plain).toBe(false);
  vi.stubGlobal("WebAssembly", undefined);
  const without = await elsewhere();
  expect(without.plain).toBe(true);
  expect(without.found).toEqual(here.found);
  vi.unstubAllGlobals();
  vi.spyOn(WebAssembly.Memory.prototype, "grow").mockImplementation(() => {
    throw new RangeError("no more");
  });
  const small = await elsewhere();
  expect(small.plain).toBe(true);
  expect(small.found).toEqual(here.found);
});

test("searches side by side do not share memory, and what was there before does not matter", () => {
  const [x, y] = [cloud(33, 2, 1), cloud(50, 2, 2)];
  const options = { regularisation: 0.05, tolerance: 1e-6 };
  sinkhorn(cloud(200, 2, 3), cloud(190, 2, 4)); // leaves its numbers
  const alone = sinkhorn(x, y, options);
  const cost = squaredDistances(x, y);
  const other = squaredDistances(y, x);
  const both = [planning(cost, options), planning(other, { ...options, regularisation: 0.1 })];
  const found: unknown[] = [];
  for (let turn = 0; found.length < 2; turn++) {
    const { done, value } = both[turn % 2].next();
    if (done && value) found.push(value);
  }
  expect(found).toContainEqual(alone);
  expect(found).toContainEqual(sinkhorn(y, x, { ...options, regularisation: 0.1 }));
});
