/** `divflow sample`: draws samples from a trained model into a file, or to standard output. */
import { defineCommand } from "citty";
import { load } from "../index.ts";
import { positiveInteger, seed } from "./arguments.ts";
import { readBytes } from "./files.ts";
import { activationArgument, readActivation } from "./model-file.ts";
import { configArgument, readConfig } from "./network.ts";
import { remark, report } from "./output.ts";
import { progressBar } from "./progress.ts";
import { counted } from "./report/numbers.ts";
import {
  coordinateNames,
  expectRoom,
  freeName,
  type ResultArray,
  readTarget,
  resultArguments,
  writeResults,
} from "./results.ts";
import { backendArgument, openRuntime, readRuntime, threadsArgument } from "./runtime.ts";
import { interruption } from "./signals.ts";
import { diffusionArguments, readSolver, solverArguments } from "./solver.ts";
import {
  inDocument,
  readGuidance,
  readToldSamples,
  toldColumns,
  toldSampleArguments,
  toldSamples,
} from "./told-samples.ts";

export const sample = defineCommand({
  meta: { name: "sample", description: "Draw samples from a trained model" },
  args: {
    model: { type: "positional", description: "model file (.safetensors)", required: true },
    count: { type: "string", description: "number of samples", default: "1024" },
    ...toldSampleArguments,
    ...solverArguments,
    ...diffusionArguments,
    "log-density": {
      type: "boolean",
      description: "also each sample's exact log-density (nats): the last column; in .npz an array of its own",
    },
    seed: { type: "string", description: "of the noise", default: "0" },
    activation: activationArgument,
    config: configArgument,
    backend: backendArgument,
    threads: threadsArgument,
    out: {
      type: "string",
      description: "file to write: .csv, .tsv, .txt, .npy, .npz; - is standard output",
      required: true,
    },
    ...resultArguments,
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    const count = positiveInteger("--count", args.count, 2 ** 31 - 1);
    const solver = readSolver(args);
    const seedValue = seed("--seed", args.seed);
    const activation = { ...readActivation(args.activation), ...(await readConfig(args.config)) };
    const given = readToldSamples(args);
    const guidance = readGuidance(args.guidance);
    const choice = readRuntime(args);
    const logDensity = args["log-density"] === true;
    const target = await readTarget(args, [args.model]);
    const bytes = await readBytes(args.model);

    using runtime = await openRuntime(choice);
    using model = await load(runtime, bytes, { source: args.model, ...activation });
    const columns = model.dimension + (logDensity ? 1 : 0);
    expectRoom(target, count * columns);
    const conditions = await toldSamples(given, model);
    const interrupted = interruption();
    const bar = progressBar("sampling", count, { planned: true });
    try {
      const { signal } = interrupted;
      const onProgress = (done: number) => bar.update(done);
      const told = { ...(conditions ? { conditions } : {}), ...(guidance === undefined ? {} : { guidance }) };
      const samples = await model.sample({ count, solver, seed: seedValue, logDensity, ...told, signal, onProgress });
      bar.stop();
      signal.throwIfAborted();
      const { values, dimension, seconds } = samples;
      const names = coordinateNames(dimension, model.columns);
      const arrays: ResultArray[] = [{ name: "samples", values, shape: samples.shape, columns: names }];
      for (const one of toldColumns(conditions, model.conditions, count)) {
        arrays.push({ ...one, columns: one.columns.map((name) => freeName(name, names)) });
      }
      if (samples.logDensity) {
        const name = "log_density";
        arrays.push({ name, values: samples.logDensity.values, shape: [count], columns: [freeName(name, names)] });
      }
      await writeResults(target, arrays);
      const place = target.standardOutput ? "standard output" : target.path;
      const what = `${counted(count, "sample")} of ${counted(dimension, "number")}${logDensity ? " and their log-density" : ""}`;
      const line = `Wrote ${what} to ${place}, ${seconds.toFixed(2)} s`;
      const document = {
        count,
        dimension,
        columns,
        ...(samples.shape.length > 2 ? { shape: samples.shape } : {}),
        ...(conditions ? { conditions: inDocument(conditions) } : {}),
        ...(guidance === undefined ? {} : { guidance }),
        solver: solver.name,
        seconds,
        out: args.out,
        format: target.format,
      };
      if (target.standardOutput) remark(line);
      else report(args.json === true, document, [line]);
    } finally {
      bar.stop();
      interrupted.dispose();
    }
  },
});
