/** `divflow evaluate`: mean negative log-likelihood of points under a model, and that of each where a file is asked for. */
import { defineCommand } from "citty";
import { ConfigError, DataError, type LogDensityOptions, load, type Model } from "../index.ts";
import { logDensityOfRows, type Shard, type ShardRows, shardRows } from "../likelihoods.ts";
import { oneOf, positiveInteger, seed } from "./arguments.ts";
import { compareDensities, consistencyArguments, readComparison } from "./consistency.ts";
import { dataArguments, readingOptions, readPointsFile } from "./data.ts";
import { evaluationOf, perRow } from "./evaluation.ts";
import { readBytes } from "./files.ts";
import { columnsIn, conditionsIn, hasHead } from "./model-facts.ts";
import { activationArgument, readActivation } from "./model-file.ts";
import { configArgument, readConfig } from "./network.ts";
import { remark, report } from "./output.ts";
import { progressBar } from "./progress.ts";
import { counted } from "./report/numbers.ts";
import { readTarget, resultArguments, writeResults } from "./results.ts";
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
import { FLOW_MAP, readSolver, solverArguments } from "./solver.ts";
import { toldOf } from "./told-samples.ts";

export const evaluate = defineCommand({
  meta: { name: "evaluate", description: "Mean negative log-likelihood of points under a model" },
  args: {
    model: { type: "positional", description: "model file (.safetensors)", required: true },
    data: { type: "string", description: "file of points (.csv, .tsv, .txt, .npy, .npz)" },
    ...consistencyArguments,
    ...dataArguments,
    divergence: { type: "string", description: "exact, hutchinson or hutch++", default: "exact" },
    probes: { type: "string", description: "Rademacher probes of hutchinson and hutch++, at most 256", default: "8" },
    ...solverArguments,
    seed: { type: "string", description: "of the probes", default: "0" },
    shard: shardArgument,
    activation: activationArgument,
    config: configArgument,
    backend: backendArgument,
    threads: threadsArgument,
    out: {
      type: "string",
      description: "file for each row's log-density: .csv, .tsv, .txt, .npy, .npz; - is standard output",
    },
    ...resultArguments,
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    const divergence = oneOf("--divergence", args.divergence, ["exact", "hutchinson", "hutch++"] as const);
    const probes = positiveInteger("--probes", args.probes, MOST_PROBES);
    const solver = readSolver(args);
    const isMap = solver.name === FLOW_MAP;
    const seedValue = seed("--seed", args.seed);
    readingOptions(args); // that they are right, before any work
    const activation = { ...readActivation(args.activation), ...(await readConfig(args.config)) };
    const choice = readRuntime(args);
    const shard = readShard(args.shard);
    if (shard && args.out === undefined && args.json !== true) throw notKept();
    const { out, data } = args;
    if (args.consistency !== undefined) {
      const comparison = await readComparison(args.consistency, { ...args, seed: seedValue, solver });
      const bytes = await readBytes(args.model);
      using runtime = await openRuntime(choice);
      using model = await load(runtime, bytes, { source: args.model, ...activation });
      const { document, lines } = await compareDensities(model, comparison, hasHead(bytes));
      report(args.json === true, { ...document, backend: runtime.backend }, lines);
      return;
    }
    if (data === undefined) throw noData();
    const target = out === undefined ? undefined : await readTarget({ ...args, out }, [args.model, data]);
    if (shard && target) await expectPartFile(target);
    const bytes = await readBytes(args.model);
    const known = { columns: columnsIn(bytes), conditions: conditionsIn(bytes), trained: true };
    const read = await readPointsFile(data, args, known);
    const { values: points, count, dimension } = read;
    const conditions = toldOf(read);

    using runtime = await openRuntime(choice);
    using model = await load(runtime, bytes, { source: args.model, ...activation });
    if (dimension !== model.dimension) {
      throw new DataError({
        subject: data,
        given: `rows of ${counted(dimension, "number")}`,
        expected: `rows of ${model.dimension}, the model's dimension`,
        remedy: "Give points of the same kind as those trained on.",
      });
    }
    const isEstimated = !isMap && divergence !== "exact";
    const asked = {
      ...(isEstimated ? { divergence, probes } : {}),
      ...{ solver, seed: seedValue },
      ...(conditions ? { conditions } : {}),
    };
    const part = shard && (await partRows(model, count, asked, shard));
    const { first, last } = part ?? { first: 0, last: count };
    const own = last - first;
    if (part) remarkOnCost(part, count, "point");
    const interrupted = interruption();
    const bar = progressBar("evaluating", own, { planned: true });
    const started = performance.now();
    try {
      const { signal } = interrupted;
      const onProgress = (done: number) => bar.update(Math.max(0, Math.min(done - first, own)));
      const density = await (part
        ? logDensityOfRows(model, points, { ...asked, signal, onProgress, rows: { first, last } })
        : model.logDensity(points, { ...asked, signal, onProgress }));
      bar.stop();
      signal.throwIfAborted();
      const { backend } = runtime;
      const how = isMap ? { ...solver.options } : { divergence };
      const settings = { count: own, dimension, solver: solver.name, how, backend };
      const { document, lines } = evaluationOf(density, settings);
      if (target) await writeResults(target, perRow(density, isEstimated, first));
      if (part && shard) {
        const { values, standardError } = density;
        const kept = partOf({
          ...{ shard, rows: part, count, runtime, command: "evaluate" },
          made: {
            ...madeWith(bytes, activation, asked),
            "--data": digestOf(points),
            "--divergence": divergence,
            "--probes": isEstimated ? probes : null,
          },
          seconds: (performance.now() - started) / 1000,
          document: { ...settings, count, isEstimated },
          ...{ logDensities: Array.from(values), standardErrors: Array.from(standardError) },
        });
        if (target) await writePart(target, kept);
        const all = target ? { ...document, out, part: kept.part } : kept;
        report(args.json === true, all, [...lines, partInWords(kept.part)]);
        return;
      }
      if (target?.standardOutput) lines.forEach(remark);
      else {
        report(args.json === true, out === undefined ? document : { ...document, out }, [
          ...lines,
          ...(out === undefined ? [] : [`Wrote each row's log-density to ${out}`]),
        ]);
      }
    } finally {
      bar.stop();
      interrupted.dispose();
    }
  },
});

function noData(): ConfigError {
  const remedy = "Give a file of points to judge; or, of a flow map, --consistency 1,2,4, which takes its own samples.";
  return new ConfigError({ subject: "--data", given: "nothing", expected: "a file of points", remedy });
}

/** As the library takes them. */
const MOST_PROBES = 256;

function partRows(
  model: Model,
  count: number,
  { divergence, probes, ...solve }: LogDensityOptions,
  shard: Shard,
): Promise<ShardRows> {
  const logDensity = divergence ? { divergence, ...(probes === undefined ? {} : { probes }) } : true;
  return shardRows(model, { ...solve, count, logDensity }, shard);
}

function notKept(): ConfigError {
  return new ConfigError({
    subject: "--shard",
    given: "without --out and without --json",
    expected: "a place for the part's log-densities",
    remedy: "Write --out FILE, or --json, whose document merge takes too.",
  });
}
