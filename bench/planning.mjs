/**
 * What planning a training step takes, and what the plan is: seconds by pass, nodes, kernel calls, and the share of bytes
 * that copies move.
 *
 *   node bench/planning.mjs [name ...] [--loss fdm|cfm] [--backend wasm|webgpu] [--repeats 3] [--describe]
 *
 * Names: mlp, unet1d, unet1d-small, unet2d, sit, sit-12, cnn, cnn-toy, transformer (sizes of the benchmarks of networks),
 * blocks-6, blocks-12, blocks-24 (residual blocks of convolution, group norm and FiLM); all by default. For developers: it
 * runs src/, not the package; nothing is computed, so what counts is the clock of planning alone.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { generate } from "../.build/generate.mjs";
import { fromSource } from "./source.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    loss: { type: "string", default: "fdm" },
    backend: { type: "string", default: "wasm" },
    repeats: { type: "string", default: "1" },
    describe: { type: "boolean", default: false },
  },
});

await generate();
const { cases, stepOf, limitsOf, morePasses, planning, describeProgram, topologicalOrder } = await fromSource(`
  export { cases, stepOf, limitsOf } from "./bench/planning-cases.ts";
  export { planning } from "./src/schedule/planning.ts";
  export { morePasses } from "./src/schedule/network-passes.ts";
  export { describeProgram } from "./src/schedule/describe.ts";
  export { topologicalOrder } from "./src/graph/graph.ts";
`);

/** As `planning` counts them. */
const passes = ["lower", "legalize", "bind", "fuse", "order", "place", "emit"];

/**
 * Seconds that this thread has computed: others on the machine don't count, nor does what V8 does beside it, collecting
 * and compiling. Where the system does not tell, seconds by the clock.
 */
function processorTime() {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]) / 1e9;
  } catch {
    return performance.now() / 1000;
  }
}

/**
 * The program, and seconds of each pass.
 *
 * @param {any} graph
 * @param {any} limits
 */
function timed(graph, limits) {
  const seconds = passes.map(() => 0);
  const work = planning(graph, limits, undefined, morePasses);
  let pass = 0;
  let last = processorTime();
  for (;;) {
    const { done, value } = work.next();
    if (!done && value === undefined) continue;
    const now = processorTime();
    seconds[pass] += now - last;
    last = now;
    if (done) return { program: value, seconds };
    pass = value;
  }
}

/**
 * Bytes that a call moves; a copy those of its elements alone, read and written.
 *
 * @param {any} call
 */
function bytesOf({ kernel, parameters: p, bytes }) {
  return kernel === "copy" ? 8 * p.size0 * p.size1 * p.size2 * p.size3 : bytes;
}

const rows = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(cases)) {
  const graph = stepOf(name, options.loss);
  const limits = limitsOf(options.backend);
  const nodes = topologicalOrder(graph.updates.map((/** @type {any} */ { value }) => value)).length;
  const runs = Array.from({ length: Number(options.repeats) }, () => {
    const { program, seconds } = timed(graph, limits);
    return { program, seconds, total: seconds.reduce((sum, each) => sum + each, 0) };
  });
  const { program, seconds, total } = runs.reduce((best, run) => (run.total < best.total ? run : best));
  /** @type {any[]} */
  const calls = program.calls;
  const sum = (/** @type {any[]} */ some) => some.reduce((all, call) => all + bytesOf(call), 0);
  const copies = calls.filter(({ kernel }) => kernel === "copy");
  const moves = calls.filter(({ kernel, chain }) => kernel === "elementwise" && chain.steps.length === 0);
  const all = sum(calls);
  const share = (/** @type {any[]} */ some) => `${((100 * sum(some)) / all).toFixed(1)} %`;
  rows.push({
    name,
    nodes,
    calls: calls.length,
    copies: copies.length,
    "of bytes": share(copies),
    moves: moves.length,
    "of all bytes": share(moves),
    MiB: (all / 2 ** 20).toFixed(0),
    "peak / least": (program.peakBytes / program.lowerBoundBytes).toFixed(2),
    peak: (program.peakBytes / 2 ** 20).toFixed(1),
    seconds: total.toFixed(2),
    ...Object.fromEntries(passes.map((pass, i) => [pass, seconds[i].toFixed(2)])),
  });
  if (options.describe) console.log(describeProgram(program));
}
console.table(rows);
