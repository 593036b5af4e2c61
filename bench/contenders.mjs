/**
 * The tasks of the bench, and divflow's own contenders; the peers' are in peers/contenders.mjs, outside the package.
 * @import { Contender } from "./rows.mjs"
 * @import { Task } from "./session.ts"
 */
import { batchOf, matmulShapes, networkBatches, networkNames, sampleCount, widths } from "./workload.mjs";

/** What `--only` may name; cfm and fdm bring the public trainer's full steps with them. */
export const parts = /** @type {const} */ (["fdm", "cfm", "sample", "logdensity", "matmul"]);

/** @typedef {typeof parts[number]} Part */

/**
 * What of the bench to run.
 * @typedef {object} Selection
 * @property {readonly Part[]} only
 * @property {readonly number[]} width
 * @property {readonly ("wasm" | "webgpu")[]} backend
 * @property {readonly number[]} threads - of WASM
 * @property {readonly ("plain" | "relaxed")[]} simd - of divflow's WASM
 */

/** Seconds that a step of a network may take; what takes longer is left out. Software adapters for WebGPU are slow. */
const networkStepSeconds = { webgpu: 6, wasm: 20, cpu: 20 };

/**
 * Steps of the networks that are compared: CFM and FDM of each.
 * @param {readonly Part[]} only @param {readonly typeof networkNames[number][]} networks
 * @returns {(Task & { network: string })[]}
 */
export function networkTasks(only, networks = networkNames) {
  const workloads = /** @type {const} */ (["cfm", "fdm"]).filter((workload) => only.includes(workload));
  return networks.flatMap((network) =>
    workloads.map((workload) => ({
      ...{ workload, network, width: 0, batch: networkBatches[network] },
    })),
  );
}

/** @type {Selection} */
export const everything = {
  only: parts,
  width: widths,
  backend: ["wasm", "webgpu"],
  threads: [1, 2],
  simd: ["plain", "relaxed"],
};

/** Tasks by width, the small ones first. @param {Pick<Selection, "only" | "width">} selection @returns {Task[]} */
export function tasksOf({ only, width }) {
  return [...width]
    .sort((a, b) => a - b)
    .flatMap((each) => parts.filter((part) => only.includes(part)).flatMap((part) => tasksOfPart(part, each)));
}

/** @param {Part} part @param {number} width @returns {Task[]} */
function tasksOfPart(part, width) {
  switch (part) {
    case "cfm":
      return stepTasks(["cfm", "cfm-full"], width);
    case "fdm":
      return stepTasks(["fdm", "fdm-full", "fraction-full"], width);
    case "sample":
    case "logdensity":
      return [{ workload: part, width, batch: sampleCount }];
    case "matmul":
      return matmulShapes(width).map((shape) => ({ workload: part, width, batch: shape.rows, shape }));
  }
}

/** @param {readonly Task["workload"][]} workloads @param {number} width @returns {Task[]} */
function stepTasks(workloads, width) {
  return workloads.map((workload) => ({ workload, width, batch: batchOf(width) }));
}

/**
 * divflow in one runtime.
 * @param {Contender["runtime"]} runtime
 * @param {Selection} selection
 */
export function ownContenders(runtime, { backend, threads, simd }) {
  /** @type {Contender[]} */
  const contenders = [];
  if (backend.includes("wasm")) {
    for (const count of threads) {
      for (const kind of simd) {
        const how = /** @type {const} */ ({ backend: "wasm", threads: count, relaxed: kind === "relaxed" });
        contenders.push({ implementation: "divflow", runtime, ...how });
      }
    }
  }
  if (backend.includes("webgpu")) {
    contenders.push({ implementation: "divflow", runtime, backend: "webgpu", threads: 1, relaxed: null });
  }
  return contenders;
}

/**
 * divflow where a checkout can run it. In pages relaxed SIMD alone: every Chromium that it may meet has it, and the
 * plain build is measured in Node.
 * @param {Selection} selection
 * @returns {Contender[]}
 */
export function checkoutContenders(selection) {
  return [
    ...ownContenders("node", { ...selection, backend: selection.backend.filter((name) => name === "wasm") }),
    ...ownContenders("chromium", { ...selection, simd: selection.simd.filter((kind) => kind === "relaxed") }),
    ...ownContenders("deno", { ...selection, backend: selection.backend.filter((name) => name === "webgpu") }),
  ];
}

/**
 * divflow at steps of networks: its best build, and WebGPU without a browser unless other runtimes are named.
 * @param {Selection} selection
 * @param {readonly ("node" | "deno" | "chromium")[]} runtimes
 */
export function networkContenders(selection, runtimes = ["node"]) {
  const relaxed = /** @type {const} */ (["relaxed"]);
  return runtimes.flatMap((runtime) => ownContenders(runtime, { ...selection, simd: relaxed }));
}

/** The task as this contender has it. @param {Contender} contender @param {Task} task @returns {Task} */
export function limited({ backend }, task) {
  return task.network === undefined ? task : { ...task, mostSeconds: networkStepSeconds[backend] };
}

/**
 * Whether a contender has a part in a task.
 * @param {Contender} contender
 * @param {Task} task
 */
export function takesPart({ workloads }, { workload }) {
  return workloads === undefined || workloads.includes(workload);
}
