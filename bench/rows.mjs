/**
 * Rows of the bench's result: what was measured of a contender on a task, or why there is no figure.
 * @import { Evidence, KindTimes, PlanFacts, Task } from "./session.ts"
 */
import { eulerSteps, expectedLosses, flopsOf, lossTolerance, median, networkTolerance } from "./workload.mjs";

/**
 * Who takes part: an implementation, where and how it runs.
 * @typedef {object} Contender
 * @property {string} implementation - divflow, or a peer
 * @property {"node" | "deno" | "chromium" | "python"} runtime
 * @property {"wasm" | "webgpu" | "cpu"} backend - cpu: of what is no JavaScript
 * @property {number} threads - 1 on WebGPU
 * @property {boolean | null} relaxed - relaxed SIMD; null where it does not apply or the implementation chooses
 * @property {readonly string[]} [workloads] - that it takes part in; default all
 */

/**
 * @typedef {object} Row
 * @property {string} workload - cfm, fdm (a step on given inputs), cfm-full, fdm-full (the public trainer's step,
 *   drawing included), fraction-full (that with the divergence on half of the batch), sample, logdensity (100 Euler steps),
 *   matmul
 * @property {string} [shape] - of a matmul, such as "1024x512x512": rows, columns, depth; with ^T on a transposed side
 * @property {string} [network] - of a step, in place of the MLP of `width`, which is 0 then
 * @property {number} width
 * @property {number} batch - rows of a step, points of a solve
 * @property {string} backend
 * @property {string} runtime
 * @property {number} threads
 * @property {boolean | null} relaxed
 * @property {number | null} ms - median; null where there is no figure
 * @property {number | null} best
 * @property {number | null} gflops - of the median
 * @property {number | null} lossBefore
 * @property {number | null} lossAfter - after 3 Adam steps
 * @property {string} implementation
 * @property {string} version
 * @property {number | null} deviation - of solves and matmuls: largest error against f64, relative
 * @property {number | null} ceiling - GFLOP/s of the backend at best, measured in the same run
 * @property {boolean} scaled - from fewer Euler steps than 100
 * @property {number[]} samples - ms, in the order measured
 * @property {number[]} [turns] - of a network's step: how many of the samples each turn took
 * @property {PlanFacts} [plan] - of a network's step
 * @property {KindTimes} [kinds] - of a network's FDM step on WASM: where its time goes
 * @property {string} [error] - what went wrong: no figure of this run counts
 * @property {string} [leftOut] - why it was not run
 */

/** Largest `deviation` of a run that counts: f32 sums of a thousand terms, and f32 points that hardly move. */
export const deviationTolerance = 1e-3;

/** @param {Contender} contender */
export function keyOf({ implementation, runtime, backend, threads, relaxed }) {
  return [implementation, runtime, backend, threads, relaxed].join(" ");
}

/**
 * Floating-point operations of a task: a step, all 100 Euler steps, or a product.
 * @param {Pick<Task, "workload" | "width" | "batch" | "shape" | "network">} task
 */
export function flopsOfTask({ workload, width, batch, shape, network }) {
  if (network !== undefined) return 0; // divflow's session says how many
  if (workload === "matmul") return shape ? 2 * shape.rows * shape.columns * shape.depth : 0;
  const kind = /** @type {keyof typeof flopsOf} */ (workload.replace("-full", ""));
  return flopsOf[kind](width, batch);
}

/** Units of work in a task: a solve's are Euler steps. @param {Pick<Task, "workload">} task */
export function unitsOfTask({ workload }) {
  return workload === "sample" || workload === "logdensity" ? eulerSteps : 1;
}

/**
 * Why the numbers of a run are wrong, or undefined when they are right.
 * @param {Task} task
 * @param {Evidence} evidence
 */
export function faultOf({ workload, width, network }, { lossBefore, lossAfter, deviation }) {
  if (workload.endsWith("-full")) {
    return Number.isFinite(lossBefore) && Number.isFinite(lossAfter) ? undefined : "a loss that is not finite";
  }
  if (network !== undefined) {
    return Number.isFinite(lossBefore) && Number.isFinite(lossAfter) ? undefined : "a loss that is not finite";
  }
  if (workload === "cfm" || workload === "fdm") {
    const [before, after] = expectedLosses[width]?.[workload] ?? [Number.NaN, Number.NaN];
    const off = (/** @type {number | null} */ loss, /** @type {number} */ expected) =>
      !(loss !== null && Math.abs(loss - expected) <= lossTolerance * expected); // written so that NaN is off too
    if (off(lossBefore, before)) return `the loss before step 1 is ${lossBefore}, expected ${before}`;
    if (off(lossAfter, after)) return `the loss after 3 steps is ${lossAfter}, expected ${after}`;
    return undefined;
  }
  if (deviation !== null && deviation <= deviationTolerance) return undefined;
  return `the results are off by ${deviation} of their size, expected at most ${deviationTolerance}`;
}

/**
 * Of steps of a network nothing says what the losses must be, but all start from the same numbers: whose losses are not
 * those of the most contenders, of the first where there is no most, is off.
 * @param {readonly Outcome[]} outcomes
 */
export function blameTheFew(outcomes) {
  const shown = outcomes.filter(
    ({ evidence, error, leftOut }) => evidence && error === undefined && leftOut === undefined,
  );
  const losses = (/** @type {Outcome} */ { evidence }) => [Number(evidence?.lossBefore), Number(evidence?.lossAfter)];
  const agree = (/** @type {Outcome} */ a, /** @type {Outcome} */ b) =>
    losses(a).every((loss, i) => Math.abs(loss - Number(losses(b)[i])) <= networkTolerance * Math.abs(loss));
  const counts = shown.map((one) => shown.filter((other) => agree(one, other)).length);
  const chosen = shown[counts.indexOf(Math.max(...counts))];
  for (const outcome of shown) {
    if (!chosen || agree(chosen, outcome)) continue;
    outcome.error = `losses ${losses(outcome).join(", ")}, where others have ${losses(chosen).join(", ")}`;
  }
}

/** @param {NonNullable<Task["shape"]>} shape */
export function shapeText({ rows, columns, depth, transposeLeft, transposeRight }) {
  const sides = `${transposeLeft ? " left^T" : ""}${transposeRight ? " right^T" : ""}`;
  return `${rows}x${columns}x${depth}${sides}`;
}

/**
 * What a contender brought home from a task.
 * @typedef {object} Outcome
 * @property {Evidence} [evidence]
 * @property {number} [units] - of a sample
 * @property {number | undefined} [flops] - of a unit, where they do not follow from the task
 * @property {number[]} [samples] - milliseconds of a unit
 * @property {number[]} [turns] - how many of the samples each turn took
 * @property {PlanFacts | undefined} [plan]
 * @property {KindTimes} [kinds]
 * @property {string} [error]
 * @property {string} [leftOut]
 */

/**
 * @param {Task} task
 * @param {Contender} contender
 * @param {{ version: string, ceiling: number | null }} about
 * @param {Outcome} outcome
 * @returns {Row}
 */
export function makeRow(task, contender, { version, ceiling }, outcome) {
  const { evidence, units = 1, flops = flopsOfTask(task), samples = [], turns, plan, kinds, error, leftOut } = outcome;
  const scale = unitsOfTask(task);
  const times = samples.map((ms) => round(ms * scale));
  const measured = times.length > 0 && error === undefined && leftOut === undefined;
  const ms = measured ? round(median(times)) : null;
  return {
    workload: task.workload,
    ...(task.shape ? { shape: shapeText(task.shape) } : {}),
    ...(task.network === undefined ? {} : { network: task.network }),
    width: task.width,
    batch: task.batch,
    backend: contender.backend,
    runtime: contender.runtime,
    threads: contender.threads,
    relaxed: contender.relaxed,
    ms,
    best: measured ? Math.min(...times) : null,
    gflops: ms === null ? null : round(flops / ms / 1e6),
    lossBefore: evidence?.lossBefore ?? null,
    lossAfter: evidence?.lossAfter ?? null,
    implementation: contender.implementation,
    version,
    deviation: evidence?.deviation ?? null,
    ceiling: ceiling === null ? null : round(ceiling),
    scaled: measured && scale > 1 && units < scale,
    samples: times,
    ...(task.network !== undefined && turns ? { turns } : {}),
    ...(plan ? { plan } : {}),
    ...(kinds ? { kinds } : {}),
    ...(error === undefined ? {} : { error }),
    ...(leftOut === undefined ? {} : { leftOut }),
  };
}

/** @param {Row} row @param {number | null} ceiling @returns {Row} */
export function withCeiling(row, ceiling) {
  return { ...row, ceiling: ceiling === null ? null : round(ceiling) };
}

/** Five digits: more than any clock here has. @param {number} value */
function round(value) {
  return Number(value.toPrecision(5));
}
