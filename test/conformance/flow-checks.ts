/** Checks of flow/ that need nothing but something that runs graphs: a device, or the f64 reference. */
import { gradient } from "../../src/autodiff/vjp.ts";
import type { NumericArray } from "../../src/backends/backend.ts";
import { jacobianProducts, traceOf, unitVectors } from "../../src/flow/divergence.ts";
import { velocityOnly } from "../../src/flow/likelihood.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import type { Loss, VelocityField } from "../../src/flow/losses/loss.ts";
import { type PathScheduler, type PathValues, pathScore, pointOnPath } from "../../src/flow/paths/path.ts";
import { pathFrom, pathNames } from "../../src/flow/paths/registry.ts";
import { dopri5 } from "../../src/flow/solvers/dopri5.ts";
import { solverFrom } from "../../src/flow/solvers/registry.ts";
import type { SolvePlan, SolveProblem } from "../../src/flow/solvers/solver.ts";
import type { Graph, Update } from "../../src/graph/graph.ts";
import { type Node, type Shape, sizeOf } from "../../src/graph/node.ts";
import { initialParameters } from "../../src/nn/initialize.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { add, divide, multiply, sin, sqrt, square, subtract } from "../../src/ops/arithmetic.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { random } from "../../src/ops/random.ts";
import { mean, sum } from "../../src/ops/reduce.ts";
import { concat, reshape } from "../../src/ops/shape.ts";
import { constant, state, table } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { assert, assertEqual } from "./assert.ts";

/** Runs graphs. States that `state` does not have start as zeros. */
export interface Machine {
  /** @returns all states that the graph reads or writes, after `times` runs. */
  run(graph: Graph, state: ReadonlyMap<string, NumericArray>, times?: number): Promise<Map<string, NumericArray>>;
}

export interface FlowCheck {
  readonly name: string;
  run(machine: Machine): Promise<void>;
}

export const flowChecks: FlowCheck[] = [
  ...pathNames.map((name) => ({
    name: `the exact field of a Gaussian has no FDM residual on ${name}`,
    run: (machine: Machine) => checkResidual(machine, pathFrom({ name, options: {} }), 1e-5),
  })),
  ...pathNames.map((name) => ({
    name: `Stein's identity holds on ${name}`,
    run: (machine: Machine) => checkStein(machine, pathFrom({ name, options: {} })),
  })),
  { name: "with divergence weight 0 the FDM gradient is CFM's, bit for bit", run: checkWeightZero },
  ...Object.entries({ euler: 1, midpoint: 2, heun: 2, rk4: 4 }).map(([name, order]) => ({
    name: `${name} has order ${order}`,
    run: (machine: Machine) => checkOrder(machine, name, order),
  })),
  { name: "ten thousand steps lose nothing to rounding", run: checkManySteps },
  { name: "dopri5 controls its step on the device, and stays at the end once there", run: checkDopri5 },
];

const seeded = new Map([["seed", Uint32Array.of(7, 11)]]);

function draw(kind: "uniform" | "normal" | "rademacher", shape: Shape, stream: number): Node {
  const seed = state({ name: "seed", shape: [2], dtype: "u32" });
  const counter = state({ name: "counter", shape: [1], dtype: "u32" });
  return random(kind, shape, { seed, counter, stream });
}

function output(name: string, node: Node): Update {
  const shape = [sizeOf(node.shape)];
  return { state: { name, shape, dtype: "f32" }, value: reshape(node, shape) };
}

/** Means of the Gaussian that data are drawn from, and its deviation. */
const gaussianMean = [0.75, -1.25, 0.5];
const gaussianDeviation = 0.5;

/**
 * The path of Gaussian data N(m, c^2 I): p_t = N(alpha m, V I), V = alpha^2 c^2 + sigma^2. It is itself an affine path,
 * from noise to the one point m, with deviation sqrt(V).
 */
function gaussianPath(path: PathScheduler): PathScheduler {
  return {
    ...path,
    at(t) {
      const { alpha, sigma, alphaRate, sigmaRate } = path.at(t);
      const c2 = gaussianDeviation ** 2;
      const deviation = sqrt(add(multiply(square(alpha), c2), square(sigma)));
      const halfRate = add(multiply(multiply(alpha, alphaRate), c2), multiply(sigma, sigmaRate));
      return { alpha, sigma: deviation, alphaRate, sigmaRate: divide(halfRate, deviation) };
    },
  };
}

/** u(x, t) = alpha' m + (sigma'/sigma)(x - alpha m): the exact field of p_t. */
function exactField(at: (t: Node) => PathValues, center: Node): VelocityField {
  return (x, t) => {
    const { alpha, sigma, alphaRate, sigmaRate } = at(t);
    const stretch = multiply(divide(sigmaRate, sigma), subtract(x, multiply(alpha, center)));
    return add(multiply(alphaRate, center), stretch);
  };
}

/** The mean |w r| / D of the exact field for every way to take the divergence, over times in [0, 0.98]. */
export async function checkResidual(machine: Machine, base: PathScheduler, tolerance: number): Promise<void> {
  const rows = 64;
  const path = gaussianPath(base);
  const center = table(gaussianMean, [1, gaussianMean.length]);
  const t = multiply(draw("uniform", [rows, 1], 0), 0.98);
  const x0 = draw("normal", [rows, gaussianMean.length], 1);
  const { sigmaRate } = path.at(t);
  // Not Gaussian probes in the residual form: z.(J z) of the exact field is dilation |z|^2 then, and no constant.
  const variants = [
    { form: "residual", estimator: "hutchinson", probe: "rademacher", power: 1 },
    { form: "residual", estimator: "exact", probe: "rademacher", power: 1 },
    { form: "slice", estimator: "hutchinson", probe: "rademacher", power: 1 },
    { form: "slice", estimator: "hutchinson", probe: "gaussian", power: 1 },
    { form: "slice", estimator: "exact", probe: "rademacher", power: 1 },
  ] as const;
  const updates = variants.map((options) => {
    let stream = 2;
    const { divergenceLoss } = fdm({ divergence: 1, weight: "sigma", ...options }).build({
      network: exactField(path.at, center),
      path,
      x0,
      x1: add(multiply(x0, 0), center),
      t,
      random: (kind, shape) => draw(kind, shape, stream++),
    });
    return output(Object.values(options).join(" "), divergenceLoss as Node);
  });
  // All terms of sigma r / D are about as large as sigma'; on wide paths the residual is taken relative to it.
  const scale = output("scale", mean(square(sigmaRate), [0]));
  const values = await machine.run({ name: "gaussian-residual", updates: [...updates, scale] }, seeded);
  const largest = Math.max(1, Math.sqrt((values.get("scale") as NumericArray)[0]));
  for (const { state } of updates) {
    const residual = (values.get(state.name) as NumericArray)[0] / largest;
    assert(residual <= tolerance, `${state.name}: the residual is ${residual}, expected at most ${tolerance}.`);
  }
}

/**
 * E [div f(x) + f(x).s(x)] = 0 for x ~ p_t(x | x1) and any smooth bounded f, here f_i = sin(x_i + x_j), at three times;
 * within 4 standard errors. The parts are taken times sigma, so that no time weighs more than another.
 */
export async function checkStein(machine: Machine, path: PathScheduler): Promise<void> {
  const [rows, dimension] = [8192, 2];
  const times = [0.05, 0.5, 0.95];
  const updates = times.flatMap((time, i) => {
    const values = path.at(constant(time, [rows, 1]));
    const x0 = draw("normal", [rows, dimension], i);
    const x = pointOnPath(values, x0, table([0.6, -1.1], [1, dimension]));
    const f = sin(add(multiply(x, 0.5), sum(x, [1])));
    const divergence = traceOf(jacobianProducts(f, x, unitVectors(x.shape)));
    const along = sum(multiply(f, pathScore(values, x0)), [1]);
    const terms = multiply(values.sigma, add(divergence, along));
    return [output(`mean ${time}`, mean(terms, [0])), output(`square ${time}`, mean(square(terms), [0]))];
  });
  const values = await machine.run({ name: "stein", updates }, seeded);
  for (const time of times) {
    const average = (values.get(`mean ${time}`) as NumericArray)[0];
    const variance = (values.get(`square ${time}`) as NumericArray)[0] - average ** 2;
    const standardError = Math.sqrt(variance / rows);
    assert(standardError > 0.001, `t = ${time}: a standard error of ${standardError} tests nothing.`);
    assert(
      Math.abs(average) <= 4 * standardError,
      `t = ${time}: the mean is ${average}, expected 0 within 4 standard errors of ${standardError}.`,
    );
  }
}

/** The gradient of a small network's loss on a batch drawn on the device. */
function gradientGraph(loss: Loss): { graph: Graph; parameters: Float32Array } {
  const network = mlp({ dimension: 3, hidden: [19, 8], activation: "silu" });
  const layout = parameterLayout(network);
  const views = parameterViews(state({ name: "parameters", shape: [layout.total], dtype: "f32" }), layout);
  const rows = 37;
  let stream = 3;
  const terms = loss.build({
    network: (x, t) => network.apply(views, x, t),
    path: pathFrom({ name: "cond-ot", options: {} }),
    x0: draw("normal", [rows, 3], 0),
    x1: draw("normal", [rows, 3], 1),
    t: draw("uniform", [rows, 1], 2),
    random: (kind, shape) => draw(kind, shape, stream++),
  });
  const gradients = gradient(terms.loss, [...views.values()]);
  const flat = concat(
    gradients.map((node) => reshape(node, [sizeOf(node.shape)])),
    0,
  );
  const updates = [output("loss", terms.loss), output("gradient", flat)];
  return { graph: { name: "gradient", updates }, parameters: initialParameters(network, 5) };
}

async function checkWeightZero(machine: Machine): Promise<void> {
  const results: Map<string, NumericArray>[] = [];
  for (const loss of [cfm(), fdm({ divergence: 0 }), fdm({ divergence: 0, form: "slice", probes: 3 }), fdm()]) {
    const { graph, parameters } = gradientGraph(loss);
    results.push(await machine.run(graph, new Map<string, NumericArray>([...seeded, ["parameters", parameters]])));
  }
  const [plain, zero, slice, weighted] = results.map((result) => result.get("gradient") as NumericArray);
  assert(
    plain.some((value) => value !== 0),
    "CFM's gradient is 0.",
  );
  assertEqual(zero, plain, "gradient of fdm with weight 0");
  assertEqual(slice, plain, "gradient of the slice form with weight 0");
  assert(!weighted.every((value, i) => value === plain[i]), "With a weight the gradient is CFM's too.");
}

/** dx/dt = 2 (1 + t) (-x1, x0): a turn by the angle 2 t + t^2. */
const turning: VelocityField = (x, t) => multiply(multiply(add(t, 1), 2), matmul(x, table([0, 1, -1, 0], [2, 2])));

function turned(points: Float32Array, from: number, to: number): Float64Array {
  const angle = 2 * to + to * to - 2 * from - from * from;
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return Float64Array.from(points, (value, i) =>
    i % 2 === 0 ? c * value - s * points[i + 1] : s * points[i - 1] + c * value,
  );
}

const starts = new HostRandom(3).uniform(24, 0).map((value) => 2 * value - 1);

function turningProblem(stops: readonly number[]): SolveProblem {
  return { field: velocityOnly(turning), rows: 12, dimension: 2, estimates: 0, stops };
}

/** The states a plan begins with. */
function initialStates({ state: declared, initial }: SolvePlan): Map<string, NumericArray> {
  return new Map<string, NumericArray>(
    declared.map(({ name, dtype, shape }) => {
      const values = name === "solve.x" ? starts : (initial.get(name) ?? new Float32Array(sizeOf(shape)));
      return [name, dtype === "u32" ? Uint32Array.from(values) : Float32Array.from(values)];
    }),
  );
}

function largestError(x: NumericArray, from: number, to: number): number {
  return Math.max(...turned(starts, from, to).map((exact, i) => Math.abs(x[i] - exact)));
}

/** Twice the steps: 2^order times smaller errors, forwards and backwards. Steps are so few that f32 does not matter. */
export async function checkOrder(machine: Machine, name: string, order: number): Promise<void> {
  const counts = { 1: [100, 200], 2: [20, 40], 4: [8, 16] }[order] as number[];
  for (const [from, to] of [
    [0, 1],
    [1, 0],
  ]) {
    const errors: number[] = [];
    for (const steps of counts) {
      const plan = solverFrom({ name, options: { steps } }).plan(turningProblem([from, to]));
      const after = await machine.run(plan.step, initialStates(plan), plan.segments[0].steps);
      errors.push(largestError(after.get("solve.x") as NumericArray, from, to));
    }
    const measured = Math.log2(errors[0] / errors[1]);
    const told = `${from} to ${to}: errors ${errors.join(" and ")}, order ${measured}`;
    assert(Math.abs(measured - order) <= 0.2, `${told}, expected ${order}.`);
    assert(errors[1] < 0.05, `${told}: too far off to tell.`);
  }
}

/**
 * Euler's steps of dx/dt = 0.7 x, with a divergence of 0.7 and from a log-density of -3: log-density and logarithm of x
 * after 10,000 steps are known. Sums in f32 alone are off by 1e-4 to 1e-3, always to the same side.
 */
async function checkManySteps(machine: Machine): Promise<void> {
  const steps = 10_000;
  const rate = 0.7;
  const plan = solverFrom({ name: "euler", options: { steps } }).plan({
    field: (x) => ({ velocity: multiply(x, rate), divergences: constant(rate, [12, 1]) }),
    ...{ rows: 12, dimension: 2, estimates: 1, stops: [0, 1] },
  });
  let states = initialStates(plan).set("solve.logDensity", new Float32Array(12).fill(-3));
  for (let part = 0; part < 4; part++) {
    states = new Map([...states, ...(await machine.run(plan.step, states, steps / 4))]);
  }
  const growth = (1 + rate / steps) ** steps;
  const x = states.get("solve.x") as NumericArray;
  const errors = Array.from(x, (value, i) => Math.abs(value / ((starts[i] as number) * growth) - 1));
  assert(Math.max(...errors) < 1e-6, `x is off by ${Math.max(...errors)} of itself.`);
  const densities = states.get("solve.logDensity") as NumericArray;
  const off = Math.max(...Array.from(densities, (value) => Math.abs(value + 3 + rate)));
  assert(off < 1e-6, `The log-density is off by ${off}.`);
}

async function checkDopri5(machine: Machine): Promise<void> {
  const solver = dopri5({ relativeTolerance: 1e-4, absoluteTolerance: 1e-4 });
  for (const [from, to] of [
    [0, 1],
    [1, 0],
  ]) {
    const plan = solver.plan(turningProblem([from, to]));
    const { state: place, read } = plan.progress as NonNullable<SolvePlan["progress"]>;
    const start = plan.start as Graph;
    const begun = new Map([...initialStates(plan), ...(await machine.run(start, initialStates(plan)))]);
    const enough = await machine.run(plan.step, begun, 60);
    const progress = read(enough.get(place) as NumericArray);
    assertEqual(progress.status, 1, "status after 60 attempts");
    assert(progress.accepted >= 4 && progress.accepted + progress.rejected < 40, `Took ${JSON.stringify(progress)}.`);
    const error = largestError(enough.get("solve.x") as NumericArray, from, to);
    assert(error < 1e-3, `From ${from} to ${to} the error is ${error}, expected below 1e-3.`);
    const more = await machine.run(plan.step, enough, 5);
    for (const [name, values] of enough) assertEqual(more.get(name), values, `${name} after the end`);
  }
}
