/** `divflow evaluate`: mean negative log-likelihood of points under a model, and that of each where a file is asked for. */
import { defineCommand } from "citty";
import { ConfigError, DataError, type LogDensity, load } from "../index.ts";
import { oneOf, positiveInteger, seed } from "./arguments.ts";
import { compareDensities, consistencyArguments, readComparison } from "./consistency.ts";
import { dataArguments, readingOptions, readPointsFile } from "./data.ts";
import { readBytes } from "./files.ts";
import { summarize } from "./judge.ts";
import { columnsIn, conditionsIn, hasHead } from "./model-facts.ts";
import { activationArgument, readActivation } from "./model-file.ts";
import { configArgument, readConfig } from "./network.ts";
import { remark, report } from "./output.ts";
import { progressBar } from "./progress.ts";
import { counted, withError } from "./report/numbers.ts";
import { type ResultArray, readTarget, resultArguments, writeResults } from "./results.ts";
import { backendArgument, openRuntime, readRuntime, threadsArgument } from "./runtime.ts";
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
    const interrupted = interruption();
    const bar = progressBar("evaluating", count, { planned: true });
    try {
      const { signal } = interrupted;
      const onProgress = (done: number) => bar.update(done);
      const density = await model.logDensity(points, {
        ...(isMap || divergence === "exact" ? {} : { divergence, probes }),
        ...{ solver, seed: seedValue },
        ...(conditions ? { conditions } : {}),
        ...{ signal, onProgress },
      });
      bar.stop();
      signal.throwIfAborted();
      const { negativeLogLikelihood, standardError } = summarize(density);
      const bitsPerDimension = negativeLogLikelihood / (model.dimension * Math.LN2);
      const how = isMap ? { ...solver.options } : { divergence };
      const settings = { count, solver: solver.name, ...how, backend: runtime.backend };
      const lines = [
        `negative log-likelihood ${withError(negativeLogLikelihood, standardError)} nats, ` +
          `${bitsPerDimension.toFixed(4)} bits per dimension`,
        `${counted(count, "point")}, solver ${solver.name}, ${inWords(how)}, backend ${runtime.backend}`,
      ];
      if (target) await writeResults(target, perRow(density, divergence));
      if (target?.standardOutput) lines.forEach(remark);
      else {
        const document = { negativeLogLikelihood, standardError, bitsPerDimension, ...settings };
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

/** `divergence exact`, `steps 2, density exact`. */
const inWords = (how: object) =>
  Object.entries(how)
    .map((pair) => pair.join(" "))
    .join(", ");

/** As the library takes them. */
const MOST_PROBES = 256;

/** The row's number from 0, its log-density and, where that is estimated, its standard error. */
function perRow({ values, standardError }: LogDensity, divergence: string): ResultArray[] {
  const column = (name: string, values: Float64Array) => ({ name, values, shape: [values.length], columns: [name] });
  return [
    column(
      "row",
      values.map((_, row) => row),
    ),
    column("log_density", values),
    ...(divergence === "exact" ? [] : [column("standard_error", standardError)]),
  ];
}
