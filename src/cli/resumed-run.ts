/** `train --resume`: a run that goes on from a file, with the settings that this was made with. */
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ConfigError, type DataSource, type Runtime, resume, splitRows, type Trainer } from "../index.ts";
import { positiveInteger } from "./arguments.ts";
import { type DataArguments, dataOf, type Expected, isPointsFile, openData, readPointsFile } from "./data.ts";
import { readBytes } from "./files.ts";
import { rowsOf } from "./held-out.ts";
import { columnsIn, conditionsIn, factsIn } from "./model-facts.ts";
import { remark } from "./output.ts";
import { isInFolder } from "./overwrite.ts";
import type { GoesOn } from "./run-folder.ts";
import { startOf } from "./starts.ts";

/** A run whose options are checked, before there is a runtime. */
export interface Beginning {
  readonly title: string;
  /** Steps in all; undefined when nothing says how many. */
  readonly steps: number | undefined;
  trainer(runtime: Runtime, onProgress: (done: number, passes: number) => void): Promise<Trainer>;
  /** What config.json says. */
  config(trainer: Trainer, backend: string): object;
  /** What speaks against the options, a sentence each. */
  readonly notes?: readonly string[];
  /** Of a run that goes on. */
  readonly goesOn?: GoesOn;
}

/** A run that goes on. How many steps there are in all, the run folder that the file lies in says, or --steps. */
export async function resumedRun(
  file: string,
  dataName: string,
  args: DataArguments & {
    readonly out: string;
    readonly steps?: string | undefined;
    readonly start?: string | undefined;
    readonly force?: boolean | undefined;
  },
): Promise<Beginning> {
  const asked = args.steps === undefined ? undefined : positiveInteger("--steps", args.steps);
  const bytes = await readBytes(file);
  const config = await readConfig(join(dirname(file), "config.json"));
  const other = differing(config, factsIn(bytes));
  if (other !== undefined && !args.force && (await isInFolder(file, args.out))) throw foreign(file, other, config);
  const data = await dataOfRun(config, dataName, args, { columns: columnsIn(bytes), conditions: conditionsIn(bytes) });
  const validation =
    typeof config["validation"] === "string"
      ? dataOf(await readPointsFile(config["validation"], {}, { columns: data.columns, conditions: data.conditions }))
      : undefined;
  const startGiven = args.start ?? (typeof config["start"] === "string" ? config["start"] : undefined);
  const start = startGiven === undefined ? undefined : await startOf(startGiven, data);
  const steps = asked ?? (typeof config["steps"] === "number" ? config["steps"] : undefined);
  return {
    title: `${basename(dataName)} resumed`,
    steps,
    trainer: (runtime, onProgress) =>
      resume(runtime, bytes, {
        ...{ data, source: file, onProgress },
        ...(validation ? { validation } : {}),
        ...(start ? { start } : {}),
      }),
    goesOn: { model: file, metrics: other === undefined ? join(dirname(file), "metrics.jsonl") : undefined },
    config: ({ step }, backend) => ({
      ...{ ...config, ...(startGiven === undefined ? {} : { start: startGiven }) },
      ...{ steps, backend, resumed: { file, step } },
    }),
  };
}

/** The data of a run that goes on: of a comparison's, without the rows that it keeps to judge by. */
async function dataOfRun(
  config: Readonly<Record<string, unknown>>,
  dataName: string,
  args: DataArguments,
  model: Expected,
): Promise<DataSource> {
  const { test } = (config["rows"] ?? {}) as { readonly test?: unknown };
  if (!Array.isArray(test) || test.length === 0 || !isPointsFile(dataName)) return openData(dataName, args, model);
  const points = await readPointsFile(dataName, args, model);
  return dataOf(rowsOf(points, splitRows(points.count, test).training));
}

/** The config.json of a run folder; empty where there is none, or one that cannot be read, which is said. */
async function readConfig(file: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(file, "utf8").catch(() => "{}");
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === "object" && config !== null && !Array.isArray(config)) return { ...config };
  } catch {} // some other file of this name: it says nothing about this run
  remark(`${file}: damaged, or none of a run. What it says of steps and rows held out is not known.`);
  return {};
}

/** Settings that a file of a run and its config.json both have. */
const shared = ["network", "path", "coupling", "loss", "optimizer", "batchSize", "seed"] as const;

/** The first setting in which a file is of another run than a config.json; undefined where they agree, or one says none. */
function differing(config: Readonly<Record<string, unknown>>, facts: ReturnType<typeof factsIn>): string | undefined {
  const training = facts?.["training"];
  const said = { ...facts, ...(typeof training === "object" ? training : {}) } as Readonly<Record<string, unknown>>;
  return shared.find(
    (name) => config[name] !== undefined && said[name] !== undefined && !isDeepStrictEqual(config[name], said[name]),
  );
}

function foreign(file: string, setting: string, config: Readonly<Record<string, unknown>>): ConfigError {
  return new ConfigError({
    subject: `--resume ${file}`,
    given: `a file of another run than its folder's, whose ${setting} is not ${JSON.stringify(config[setting])}`,
    expected: "a file of the run in the folder of --out",
    remedy: "Name another --out; --force begins the folder's metrics.jsonl and config.json anew.",
  });
}
