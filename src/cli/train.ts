/** `divflow train`: trains on a named data set or on a user's points, into a run folder. */
import { basename } from "node:path";
import { defineCommand } from "citty";
import { ConfigError, createTrainer, type Trainer } from "../index.ts";
import { oneOf, positiveInteger, refuseBeside } from "./arguments.ts";
import { dataArguments, readingOptions } from "./data.ts";
import { checkFolder, checkInput } from "./files.ts";
import { scoreArgument } from "./flow.ts";
import { goOnCommand } from "./go-on.ts";
import { inOptions } from "./in-options.ts";
import { exitCodes, remark, report } from "./output.ts";
import { forceArgument, refuseRun } from "./overwrite.ts";
import { whilePlanning } from "./progress.ts";
import { describeRecipe, lossNames, MOST, type Recipe, readRecipe, recipeArguments, trainerOptions } from "./recipe.ts";
import { counted, withError } from "./report/numbers.ts";
import { type Beginning, resumedRun } from "./resumed-run.ts";
import { namesOfRun, RunFolder } from "./run-folder.ts";
import { backendArgument, openRuntime, readRuntime, storageArgument, threadsArgument } from "./runtime.ts";
import { startArgument } from "./starts.ts";
import { trainInto, unusedRows } from "./training.ts";

export const train = defineCommand({
  meta: { name: "train", description: "Train a model into a run folder" },
  args: {
    data: {
      type: "positional",
      description: "data set by name, or a file of points (.csv, .tsv, .txt, .npy, .npz)",
      required: true,
    },
    out: { type: "string", description: "folder for config.json, metrics.jsonl, model.safetensors", required: true },
    loss: { type: "string", description: `one of ${lossNames.join(", ")}`, default: "fdm" },
    start: startArgument,
    ...recipeArguments,
    "with-score": scoreArgument,
    ...dataArguments,
    backend: backendArgument,
    threads: threadsArgument,
    storage: storageArgument,
    resume: { type: "string", description: "a model.safetensors to go on from, bit for bit; its settings are kept" },
    force: forceArgument,
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args, rawArgs }) {
    const choice = readRuntime(args);
    const { resume } = args;
    const loss = oneOf("--loss", args.loss, lossNames);
    if (args.steps !== undefined) positiveInteger("--steps", args.steps, MOST.steps);
    readingOptions(args);
    const checkOut = () => checkFolder("--out", args.out, namesOfRun);
    let recipe: Beginning | undefined;
    if (resume === undefined) {
      recipe = fromRecipe(await readRecipe(args.data, args, checkOut), args.data, loss);
    } else {
      const settings = ["loss", "with-score", ...Object.keys(recipeArguments)].filter((name) => name !== "steps");
      refuseBeside(rawArgs, "--resume", settings);
      await checkInput(resume); // read below, when no other process writes it
      await checkOut();
    }
    using folder = await RunFolder.claim("--out", args.out);
    await refuseRun("--out", args.out, args);
    const beginning = recipe ?? (await resumedRun(String(resume), args.data, args));

    using runtime = await openRuntime(choice);
    using trainer = await whilePlanning(beginning.title, (onProgress) => beginning.trainer(runtime, onProgress));
    const { title, steps = noSteps() } = beginning;
    for (const warning of trainer.warnings) remark(inOptions(warning, "train"));
    beginning.notes?.forEach(remark);
    const nothing = nothingToTrain(trainer, steps, args.steps !== undefined);
    if (nothing !== undefined) {
      // What lies there stays as it is: config.json says how many steps the run is to have.
      if (args.json) remark(nothing);
      const document = { step: trainer.step, interrupted: false, seconds: 0, ...heldOutIn(trainer), out: args.out };
      report(args.json === true, document, [nothing]);
      return exitCodes.success;
    }
    const config = beginning.config(trainer, runtime.backend);
    const command = goOnCommand(args, args.out, folder.file("model.safetensors"));
    await folder.begin({ trainer, config, command, ...(beginning.goesOn ? { goesOn: beginning.goesOn } : {}) });
    const run = await trainInto(trainer, steps, title, folder);

    const unused = unusedRows(trainer, run.history);
    if (unused !== undefined && !run.interrupted) remark(unused);

    const { last, interrupted, seconds } = run;
    const { validation: _, ...figures } = last ?? {};
    const document = { step: trainer.step, interrupted, seconds, ...figures, ...heldOutIn(trainer), out: args.out };
    report(args.json === true, document, [
      `${interrupted ? "Interrupted" : "Trained"}: step ${trainer.step} of ${steps}, ${seconds.toFixed(1)} s` +
        (last?.loss === undefined ? "" : `, loss ${last.loss.toPrecision(4)}`),
      ...heldOutLines(trainer),
      `Wrote ${folder.file("model.safetensors")}`,
    ]);
    if (interrupted) remark(`To go on: ${command}`);
    return interrupted ? exitCodes.interrupted : exitCodes.success;
  },
});

/** What the rows held out told, for the document. */
function heldOutIn({ best, stopped, heldOutRows }: Trainer): object {
  return best ? { best, stopped, ...(heldOutRows ? { rowsHeldOut: heldOutRows.length } : {}) } : {};
}

/** The same in words. */
function heldOutLines({ best, stopped, heldOutRows, trainingRows, step }: Trainer): string[] {
  if (!best) return [];
  const rows = heldOutRows
    ? `${counted(heldOutRows.length, "row")} of ${(heldOutRows.length + (trainingRows?.length ?? 0)).toLocaleString("en")}`
    : "points of their own";
  const likelihood =
    best.negativeLogLikelihood === undefined
      ? ""
      : `, negative log-likelihood ${withError(best.negativeLogLikelihood, best.standardError)} nats`;
  return [
    `Held out: ${rows}; velocity loss ${best.velocityLoss.toPrecision(4)}${likelihood} at step ${best.step}, the best, which the model uses` +
      (stopped ? `; training stopped at step ${step}, for it got no better` : ""),
  ];
}

/** Rows held out, by their numbers from 0; all others are trained on. */
function rowsIn({ trainingRows, heldOutRows }: Trainer): object {
  if (!trainingRows || !heldOutRows) return {};
  return { rows: { count: trainingRows.length + heldOutRows.length, validation: Array.from(heldOutRows) } };
}

function fromRecipe(recipe: Recipe, dataName: string, loss: (typeof lossNames)[number]): Beginning {
  return {
    title: `${basename(dataName)} ${loss}`,
    steps: recipe.steps,
    notes: recipe.notes,
    trainer: (runtime, onProgress) =>
      createTrainer(runtime, { ...trainerOptions(recipe), loss: recipe.loss(loss), onProgress }),
    config: (trainer, backend) => ({ ...describeRecipe(recipe, dataName, loss, backend), ...rowsIn(trainer) }),
  };
}

/** Said of a run that is asked to go on to a step it is past, or has stopped by itself; undefined where there is work. */
function nothingToTrain({ step, stopped }: Trainer, steps: number, asked: boolean): string | undefined {
  const said = (why: string) => `Nothing to train, nothing written: ${why}`;
  if (stopped) return said(`training stopped at step ${step}, for it got no better on the rows held out.`);
  if (step < steps) return undefined;
  const counts = asked ? `--steps ${steps} counts all` : `the run is to have ${steps}`;
  return said(`the file is at step ${step} already, ${counts}. --steps ${step + steps} trains ${steps} more.`);
}

function noSteps(): never {
  throw new ConfigError({
    subject: "--steps",
    given: "nothing",
    expected: "the number of steps in all",
    remedy: "Beside the file to resume lies no config.json that says it.",
  });
}
