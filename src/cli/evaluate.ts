/** `divflow evaluate`: mean negative log-likelihood of points under a model. */
import { defineCommand } from "citty";
import { DataError, load } from "../index.ts";
import { oneOf, positiveInteger, seed } from "./arguments.ts";
import { dataArguments, readPointsFile } from "./data.ts";
import { readBytes } from "./files.ts";
import { summarize } from "./judge.ts";
import { interruption, report } from "./output.ts";
import { backendArgument, openRuntime, readRuntime, threadsArgument } from "./runtime.ts";
import { readSolver, solverArguments } from "./solver.ts";

export const evaluate = defineCommand({
  meta: { name: "evaluate", description: "Mean negative log-likelihood of points under a model" },
  args: {
    model: { type: "positional", description: "model file (.safetensors)", required: true },
    data: { type: "string", description: "file of points (.csv, .tsv, .txt, .npy, .npz)", required: true },
    ...dataArguments,
    divergence: { type: "string", description: "exact or hutchinson", default: "exact" },
    probes: { type: "string", description: "Rademacher probes of hutchinson", default: "8" },
    ...solverArguments,
    seed: { type: "string", description: "of the probes", default: "0" },
    backend: backendArgument,
    threads: threadsArgument,
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args }) {
    const divergence = oneOf("--divergence", args.divergence, ["exact", "hutchinson"] as const);
    const probes = positiveInteger("--probes", args.probes);
    const solver = readSolver(args.solver, args.steps, args.tolerance);
    const seedValue = seed("--seed", args.seed);
    const choice = readRuntime(args);
    const bytes = await readBytes(args.model);

    using runtime = await openRuntime(choice);
    using model = await load(runtime, bytes, { source: args.model });
    const {
      values: points,
      count,
      dimension,
    } = await readPointsFile(args.data, args, {
      columns: (model as { readonly columns?: readonly string[] }).columns,
    });
    if (dimension !== model.dimension) {
      throw new DataError({
        subject: args.data,
        given: `rows of ${dimension} numbers`,
        expected: `rows of ${model.dimension}, the model's dimension`,
        remedy: "Give points of the same kind as those trained on.",
      });
    }
    const interrupted = interruption();
    try {
      const { signal } = interrupted;
      const density = await model.logDensity(points, { divergence, probes, solver, seed: seedValue, signal });
      const { negativeLogLikelihood, standardError } = summarize(density);
      const bitsPerDimension = negativeLogLikelihood / (model.dimension * Math.LN2);
      const settings = { count, solver: solver.name, divergence, backend: runtime.backend };
      report(args.json === true, { negativeLogLikelihood, standardError, bitsPerDimension, ...settings }, [
        `negative log-likelihood ${negativeLogLikelihood.toFixed(4)} ± ${standardError.toFixed(4)} nats, ` +
          `${bitsPerDimension.toFixed(4)} bits per dimension`,
        `${count} points, solver ${solver.name}, divergence ${divergence}, backend ${runtime.backend}`,
      ]);
    } finally {
      interrupted.dispose();
    }
  },
});
