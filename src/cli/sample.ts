/** `divflow sample`: draws samples from a trained model into a file, or to standard output. */
import { defineCommand } from "citty";
import { type ConditionsGiven, load, type Model, type Samples } from "../index.ts";
import { type SampleChunksOptions, sampleChunks } from "../likelihoods.ts";
import { positiveInteger, seed } from "./arguments.ts";
import { isPointsFile } from "./data.ts";
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
  takesPieces,
  writePieces,
  writeResults,
} from "./results.ts";
import { backendArgument, openRuntime, readRuntime, threadsArgument } from "./runtime.ts";
import { interruption } from "./signals.ts";
import { diffusionArguments, readSolver, solverArguments } from "./solver.ts";
import { checkStarts, readStarts, startsArgument } from "./starts.ts";
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
    count: { type: "string", description: "number of samples (1024; beside --start FILE its rows)" },
    start: startsArgument,
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
    const asked = args.count === undefined ? undefined : positiveInteger("--count", args.count, 2 ** 31 - 1);
    const solver = readSolver(args);
    const seedValue = seed("--seed", args.seed);
    const activation = { ...readActivation(args.activation), ...(await readConfig(args.config)) };
    const given = readToldSamples(args);
    const guidance = readGuidance(args.guidance);
    const choice = readRuntime(args);
    const logDensity = args["log-density"] === true;
    if (args.start !== undefined) await checkStarts(args.start, asked);
    const inputs = args.start !== undefined && isPointsFile(args.start) ? [args.start] : [];
    const target = await readTarget(args, [args.model, ...inputs]);
    const bytes = await readBytes(args.model);

    using runtime = await openRuntime(choice);
    using model = await load(runtime, bytes, { source: args.model, ...activation });
    const drawn = { count: asked ?? COUNT, seed: seedValue };
    const start = args.start === undefined ? undefined : await readStarts(args.start, model, drawn);
    const count = start ? start.length / model.dimension : drawn.count;
    const columns = model.dimension + (logDensity ? 1 : 0);
    expectRoom(target, count * columns);
    const conditions = await toldSamples(given, model);
    const interrupted = interruption();
    // Rows on a terminal and a bar there would be in each other's way.
    const isShown = target.standardOutput && process.stdout.isTTY === true;
    const bar = isShown ? undefined : progressBar("sampling", count, { planned: true });
    try {
      const { signal } = interrupted;
      const options = {
        ...{ count, solver, seed: seedValue, logDensity, signal, onProgress: (done: number) => bar?.update(done) },
        ...(start ? { start } : {}),
        ...(conditions ? { conditions } : {}),
        ...(guidance === undefined ? {} : { guidance }),
      };
      const seen = { seconds: 0, folded: 0 };
      const arraysOf = arraysFor(model, conditions, count, seen);
      if (takesPieces(target)) await writePieces(target, count, piecesOf(model, options, arraysOf));
      else {
        const samples = await model.sample(options);
        signal.throwIfAborted();
        await writeResults(target, arraysOf(samples, 0));
      }
      bar?.stop();
      const { seconds, folded } = seen;
      if (folded > 0) {
        remark(
          `No log-density of ${counted(folded, "sample")}: the map is not invertible there, see docs/flow-maps.md.`,
        );
      }
      const place = target.standardOutput ? "standard output" : target.path;
      const what = `${counted(count, "sample")} of ${counted(model.dimension, "number")}${logDensity ? " and their log-density" : ""}`;
      const line = `Wrote ${what} to ${place}, ${seconds.toFixed(2)} s`;
      const document = {
        count,
        dimension: model.dimension,
        columns,
        ...(model.shape.length > 1 ? { shape: [count, ...model.shape] } : {}),
        ...(args.start === undefined ? {} : { start: args.start }),
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
      bar?.stop();
      interrupted.dispose();
    }
  },
});

/** Where --count does not say. */
const COUNT = 1024;

/** What samples are in a file, from their first one on; the seconds that they took are added up. */
type ArraysOf = (samples: Samples, from: number) => ResultArray[];

function arraysFor(
  model: Model,
  conditions: ConditionsGiven | undefined,
  count: number,
  seen: { seconds: number; folded: number },
): ArraysOf {
  const names = coordinateNames(model.dimension, model.columns);
  const toldOf = toldColumns(conditions, model.conditions, count);
  return ({ values, shape, count: own, logDensity, seconds }, from) => {
    seen.seconds += seconds;
    const told = toldOf(from, from + own).map((one) => ({
      ...one,
      columns: one.columns.map((name) => freeName(name, names)),
    }));
    const arrays: ResultArray[] = [{ name: "samples", values, shape, columns: names }, ...told];
    if (!logDensity) return arrays;
    seen.folded += logDensity.values.filter(Number.isNaN).length;
    const [name, of] = ["log_density", logDensity.values];
    return [...arrays, { name, values: of, shape: [own], columns: [freeName(name, names)] }];
  };
}

/** Numbers of samples in memory at once: as many rows at a time as have these, or one. */
const NUMBERS_AT_ONCE = 1 << 18;

/** As they come: equal bits to all at once, in the memory of a piece. */
async function* piecesOf(model: Model, options: SampleChunksOptions, arraysOf: ArraysOf) {
  const chunk = Math.max(1, Math.floor(NUMBERS_AT_ONCE / model.dimension));
  let from = 0;
  for await (const samples of sampleChunks(model, { ...options, chunk })) {
    options.signal?.throwIfAborted();
    yield arraysOf(samples, from);
    from += samples.count;
  }
}
