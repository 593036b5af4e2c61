/** `divflow sample`: draws samples from a trained model into a file, or to standard output. */
import { defineCommand } from "citty";
import { type ConditionsGiven, load, type Model, type Samples } from "../index.ts";
import { type SampleChunksOptions, sampleChunks, shardRows } from "../likelihoods.ts";
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
import {
  digestOf,
  expectPartFile,
  madeWith,
  partInWords,
  partOf,
  readShard,
  remarkOnCost,
  shardArgument,
  writePart,
} from "./shard.ts";
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
    shard: shardArgument,
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
    const wanted = args.count === undefined ? undefined : positiveInteger("--count", args.count, 2 ** 31 - 1);
    const solver = readSolver(args);
    const seedValue = seed("--seed", args.seed);
    const activation = { ...readActivation(args.activation), ...(await readConfig(args.config)) };
    const given = readToldSamples(args);
    const guidance = readGuidance(args.guidance);
    const choice = readRuntime(args);
    const shard = readShard(args.shard);
    const logDensity = args["log-density"] === true;
    if (args.start !== undefined) await checkStarts(args.start, wanted);
    const inputs = args.start !== undefined && isPointsFile(args.start) ? [args.start] : [];
    const target = await readTarget(args, [args.model, ...inputs]);
    if (shard) await expectPartFile(target);
    const bytes = await readBytes(args.model);

    using runtime = await openRuntime(choice);
    using model = await load(runtime, bytes, { source: args.model, ...activation });
    const drawn = { count: wanted ?? COUNT, seed: seedValue };
    const start = args.start === undefined ? undefined : await readStarts(args.start, model, drawn);
    const count = start ? start.length / model.dimension : drawn.count;
    const columns = model.dimension + (logDensity ? 1 : 0);
    const conditions = await toldSamples(given, model);
    const asked = {
      ...{ count, solver, seed: seedValue, logDensity },
      ...(start ? { start } : {}),
      ...(conditions ? { conditions } : {}),
      ...(guidance === undefined ? {} : { guidance }),
    };
    const part = shard && (await shardRows(model, asked, shard));
    const { first, last } = part ?? { first: 0, last: count };
    const own = last - first;
    expectRoom(target, own * columns);
    if (part) remarkOnCost(part, count, "sample");
    const interrupted = interruption();
    // Rows on a terminal and a bar there would be in each other's way.
    const isShown = target.standardOutput && process.stdout.isTTY === true;
    const bar = isShown ? undefined : progressBar("sampling", own, { planned: true });
    try {
      const { signal } = interrupted;
      const onProgress = (done: number) => bar?.update(Math.max(0, Math.min(done - first, own)));
      const options = { ...asked, signal, onProgress, ...(part ? { rows: { first, last } } : {}) };
      const seen = { seconds: 0, folded: 0 };
      const arraysOf = arraysFor(model, conditions, count, seen);
      if (takesPieces(target)) await writePieces(target, own, piecesOf(model, options, first, arraysOf));
      else {
        const samples = await (part ? allOf(model, options, own) : model.sample(options));
        signal.throwIfAborted();
        await writeResults(target, arraysOf(samples, first));
      }
      bar?.stop();
      const { seconds, folded } = seen;
      if (folded > 0) {
        remark(
          `No log-density of ${counted(folded, "sample")}: the map is not invertible there, see docs/flow-maps.md.`,
        );
      }
      const place = target.standardOutput ? "standard output" : target.path;
      const what = `${counted(own, "sample")} of ${counted(model.dimension, "number")}${logDensity ? " and their log-density" : ""}`;
      const document = {
        count,
        dimension: model.dimension,
        columns,
        ...(model.shape.length > 1 ? { shape: [count, ...model.shape] } : {}),
        ...(args.start === undefined ? {} : { start: args.start }),
        ...(conditions ? { conditions: inDocument(conditions) } : {}),
        ...(guidance === undefined ? {} : { guidance }),
        solver: solver.name,
      };
      const written = { seconds, out: args.out, format: target.format };
      let line = `Wrote ${what} to ${place}, ${seconds.toFixed(2)} s`;
      let whole: object = { ...document, ...written };
      if (part && shard) {
        const made = {
          ...madeWith(bytes, activation, asked),
          "--log-density": logDensity,
          "--start": digestOf(start),
          "--guidance": guidance ?? null,
        };
        const facts = { shard, rows: part, count, runtime, made, seconds, document, command: "sample" } as const;
        const own = partOf(facts);
        await writePart(target, own);
        line += `: ${partInWords(own.part)}`;
        whole = { ...whole, part: own.part };
      }
      if (target.standardOutput) remark(line);
      else report(args.json === true, whole, [line]);
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

/** All rows of a part at once. */
async function allOf(model: Model, options: SampleChunksOptions, rows: number): Promise<Samples> {
  const { value } = await sampleChunks(model, { ...options, chunk: rows }).next();
  return value as Samples;
}

/** As they come: equal bits to all at once, in the memory of a piece. */
async function* piecesOf(model: Model, options: SampleChunksOptions, first: number, arraysOf: ArraysOf) {
  const chunk = Math.max(1, Math.floor(NUMBERS_AT_ONCE / model.dimension));
  let from = first;
  for await (const samples of sampleChunks(model, { ...options, chunk })) {
    options.signal?.throwIfAborted();
    yield arraysOf(samples, from);
    from += samples.count;
  }
}
