/** `divflow sample`: draws samples from a trained model into a .npy file. */
import { defineCommand } from "citty";
import { load, writeNpy } from "../index.ts";
import { positiveInteger, seed } from "./arguments.ts";
import { checkTarget, readBytes, replaceFile } from "./files.ts";
import { interruption, report } from "./output.ts";
import { backendArgument, openRuntime, readRuntime, threadsArgument } from "./runtime.ts";
import { readSolver, solverArguments } from "./solver.ts";

export const sample = defineCommand({
  meta: { name: "sample", description: "Draw samples from a trained model" },
  args: {
    model: { type: "positional", description: "model file (.safetensors)", required: true },
    count: { type: "string", description: "number of samples", default: "1024" },
    ...solverArguments,
    "log-density": { type: "boolean", description: "append each sample's exact log-density (nats) as a last column" },
    seed: { type: "string", description: "of the noise", default: "0" },
    backend: backendArgument,
    threads: threadsArgument,
    out: { type: "string", description: "file to write (.npy), [count, dimension]", required: true },
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    const count = positiveInteger("--count", args.count);
    const solver = readSolver(args.solver, args.steps, args.tolerance);
    const seedValue = seed("--seed", args.seed);
    const choice = readRuntime(args);
    const logDensity = args["log-density"] === true;
    await checkTarget("--out", args.out);
    const bytes = await readBytes(args.model);

    using runtime = await openRuntime(choice);
    using model = await load(runtime, bytes, { source: args.model });
    const interrupted = interruption();
    try {
      const { signal } = interrupted;
      const samples = await model.sample({ count, solver, seed: seedValue, logDensity, signal });
      const { values, dimension, seconds } = samples;
      const columns = dimension + (logDensity ? 1 : 0);
      await replaceFile(
        args.out,
        writeNpy(withColumn(values, dimension, samples.logDensity?.values), [count, columns]),
      );
      report(args.json === true, { count, dimension, columns, solver: solver.name, seconds, out: args.out }, [
        `Wrote ${count} samples of ${dimension} numbers${logDensity ? " and their log-density" : ""} to ${args.out}, ${seconds.toFixed(2)} s`,
      ]);
    } finally {
      interrupted.dispose();
    }
  },
});

/** Each row's log-density after it, where there is one, without losing its digits. */
function withColumn(values: Float32Array | Float64Array, dimension: number, column: Float64Array | undefined) {
  if (!column) return values;
  const result = new Float64Array(column.length * (dimension + 1));
  column.forEach((last, row) => {
    result.set(values.subarray(row * dimension, (row + 1) * dimension), row * (dimension + 1));
    result[(row + 1) * (dimension + 1) - 1] = last;
  });
  return result;
}
