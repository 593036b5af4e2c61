/** What helps against learning rows by heart, from a command's options: rows held out, stopping early, noise, averages. */
import {
  type ActivationKind,
  ConfigError,
  type DataSource,
  ema,
  type Network,
  type Points,
  type TrainerOptions,
} from "../index.ts";
import { isF32, number, positiveInteger, positiveNumber } from "./arguments.ts";
import { dataOf, isPointsFile, readPointsFile } from "./data.ts";
import { readBytes } from "./files.ts";
import { networkOfFile } from "./network-of-file.ts";
import { remark } from "./output.ts";
import { counted } from "./report/numbers.ts";
import type { KnownConditions } from "./told.ts";

/** Of a file's rows, where --validation does not say: share held out. */
const HELD_OUT = "0.1";

export const overfittingArguments = {
  validation: {
    type: "string",
    description: `rows held out while training: a share, how many, a file, or none (of files ${HELD_OUT}; of named sets none)`,
  },
  patience: { type: "string", description: "validations without a better one after which training stops (20)" },
  "no-early-stopping": { type: "boolean", description: "train all steps; the best parameters are kept all the same" },
  jitter: {
    type: "string",
    description:
      "noise on the rows, anew at each draw, in standard deviations: a number, or auto, by how many there are",
  },
  ema: { type: "string", description: "decay of an average of the parameters, such as 0.999, which models then use" },
  "weight-decay": { type: "string", description: "AdamW's, times the learning rate, such as 0.01" },
  from: { type: "string", description: "a model.safetensors to begin at (warm start); its network is taken" },
} as const;

export interface OverfittingArguments {
  readonly validation?: string | undefined;
  readonly patience?: string | undefined;
  /** Declared as no-early-stopping: the parser makes `--no-x` of a command line into x: false. */
  readonly "early-stopping"?: unknown;
  readonly jitter?: string | undefined;
  readonly ema?: string | undefined;
  readonly "weight-decay"?: string | undefined;
  readonly from?: string | undefined;
}

/** What is held out: a share in (0, 1), a number of rows, or rows of another file. */
export type HeldOut = number | { readonly file: string; readonly points: Points };

/** The data of a run, as far as these options ask. */
export interface TrainedOn {
  readonly dimension: number;
  readonly columns?: readonly string[] | undefined;
  /** What is told of them, by name. */
  readonly conditions?: KnownConditions | undefined;
  /** The rows of a file; undefined where the data are a named set. */
  readonly points: Points | undefined;
}

export interface Overfitting {
  readonly validation: HeldOut | undefined;
  readonly weightDecay: number | undefined;
  /** The options of a trainer that these become. */
  readonly options: Pick<TrainerOptions, "validation" | "earlyStopping" | "jitter" | "ema" | "initial">;
  /** The network of the model begun at. */
  readonly network: Network | undefined;
  /** What config.json says. */
  readonly description: object;
}

/**
 * These options as far as that needs no file.
 *
 * @param isFile - whether the data are a file's rows.
 */
export function checkOverfitting(args: OverfittingArguments, isFile: boolean) {
  const validation = args.validation ?? (isFile ? HELD_OUT : "none");
  checkHeldOut("--validation", validation, isFile);
  const patience = args.patience === undefined ? undefined : positiveInteger("--patience", args.patience);
  const stops = validation !== "none" && args["early-stopping"] !== false;
  refuseVoid(args, validation !== "none", stops);
  return {
    ...{ validation, patience, stops },
    jitter: args.jitter === undefined ? undefined : readJitter(args.jitter, isFile),
    average: args.ema === undefined ? undefined : ema({ decay: between("--ema", args.ema) }),
    weightDecay:
      args["weight-decay"] === undefined ? undefined : positiveNumber("--weight-decay", args["weight-decay"]),
  };
}

/** @param activation - where one is given: of the network begun at. */
export async function readOverfitting(
  args: OverfittingArguments,
  checked: ReturnType<typeof checkOverfitting>,
  data: TrainedOn,
  activation: ActivationKind | undefined,
): Promise<Overfitting> {
  const { patience, stops, jitter, average, weightDecay } = checked;
  const validation = await readHeldOut("--validation", checked.validation, data);
  const initial = args.from === undefined ? undefined : await readBytes(args.from);
  return {
    validation,
    weightDecay,
    network: initial && args.from !== undefined ? await networkOfFile(args.from, initial, activation) : undefined,
    options: {
      ...(validation === undefined ? {} : { validation: sourceOf(validation) }),
      ...(stops ? { earlyStopping: patience === undefined ? true : { patience } } : {}),
      ...(jitter === undefined ? {} : { jitter }),
      ...(average === undefined ? {} : { ema: average }),
      ...(initial ? { initial } : {}),
    },
    description: {
      ...(validation === undefined
        ? {}
        : {
            validation: heldOutWords(validation),
            earlyStopping: stops && (patience === undefined ? true : { patience }),
          }),
      ...(jitter === undefined ? {} : { jitter }),
      ...(average === undefined ? {} : { ema: { decay: average.decay } }),
      ...(args.from === undefined ? {} : { from: args.from }),
    },
  };
}

/** Options that others leave without effect are refused, not passed over. */
function refuseVoid(args: OverfittingArguments, validates: boolean, stops: boolean): void {
  const refuse = (option: string, given: string, remedy: string) => {
    throw new ConfigError({ subject: option, given, expected: "no such option there", remedy });
  };
  if (args.patience !== undefined && !stops) {
    const given = validates ? "beside --no-early-stopping" : "no rows held out to stop by";
    refuse("--patience", given, "Leave it out: nothing stops early.");
  }
  if (args["early-stopping"] === false && !validates) {
    refuse("--no-early-stopping", "no rows held out", "Leave it out: without them nothing stops early.");
  }
}

/**
 * @param option - "--validation" or "--test".
 * @returns undefined for "none".
 */
export async function readHeldOut(option: string, text: string, data: TrainedOn): Promise<HeldOut | undefined> {
  if (text === "none") return undefined;
  if (isPointsFile(text)) {
    const points = await readPointsFile(text, {}, { columns: data.columns, conditions: data.conditions });
    if (points.dimension === data.dimension) {
      refuseSharedRows(option, text, points, data.points);
      return { file: text, points };
    }
    throw new ConfigError({
      subject: `${option} ${text}`,
      given: `rows of ${counted(points.dimension, "number")}`,
      expected: `rows of ${data.dimension}, as the data's`,
      remedy: "Give rows of the same kind as those trained on.",
    });
  }
  const value = checkHeldOut(option, text, data.points !== undefined) as number;
  if (data.points?.count === 1) {
    throw new ConfigError({
      subject: option,
      given: "data of one row",
      expected: "at least two, to hold one out",
      remedy: "Give more rows.",
    });
  }
  return value;
}

/** Rows of a file at most: their numbers are u32. */
const MOST_ROWS = 2 ** 32 - 1;

/** The share or number of rows that an option of {@link readHeldOut} asks for, where it does not name a file. */
export function checkHeldOut(option: string, text: string, isFile: boolean): number | undefined {
  if (text === "none" || isPointsFile(text)) return undefined;
  const expected = `a share of the rows in (0, 1), how many (${MOST_ROWS} at most), a file of rows, or none`;
  const fits = (given: number) => given > 0 && (given < 1 || (Number.isInteger(given) && given <= MOST_ROWS));
  const value = number(option, text, expected, fits);
  if (isFile) return value;
  throw new ConfigError({
    subject: option,
    given: text,
    expected: "a file of points beside a named data set, which has no rows to hold out",
    remedy: "Leave it out: points of a named set are drawn fresh, so none is met twice.",
  });
}

/** Rows held out in a file of their own are no use where they are trained on as well: said, or refused where all are. */
function refuseSharedRows(option: string, file: string, heldOut: Points, trainedOn: Points | undefined): void {
  if (!trainedOn) return;
  const rowsOf = ({ values, count, dimension }: Points) =>
    Array.from({ length: count }, (_, row) => values.subarray(row * dimension, (row + 1) * dimension).join());
  const known = new Set(rowsOf(trainedOn));
  const shared = rowsOf(heldOut).filter((row) => known.has(row)).length;
  if (shared === 0) return;
  if (shared < heldOut.count) {
    remark(`${shared.toLocaleString("en")} of the ${counted(heldOut.count, "row")} of ${file} are trained on as well.`);
    return;
  }
  throw new ConfigError({
    subject: `${option} ${file}`,
    given: "rows that are all trained on",
    expected: "other rows",
    remedy: "Give a share instead, such as 0.1: rows are then held out of the data by seed.",
  });
}

export function sourceOf(heldOut: HeldOut): number | DataSource {
  return typeof heldOut === "number" ? heldOut : dataOf(heldOut.points);
}

/** As config.json says it. */
export function heldOutWords(heldOut: HeldOut): number | string {
  return typeof heldOut === "number" ? heldOut : heldOut.file;
}

function readJitter(text: string, isFile: boolean): number | "auto" {
  const fits = (value: number) => isF32(value) && value >= 0;
  const jitter = text === "auto" ? text : number("--jitter", text, "a number of at least 0, or auto", fits);
  if (isFile || jitter === 0) return jitter;
  throw new ConfigError({
    subject: "--jitter",
    given: `${text} beside a named data set`,
    expected: "no such option there",
    remedy: "Leave it out: its points are drawn fresh at each step, so there are no rows to learn by heart.",
  });
}

function between(option: string, text: string): number {
  return number(option, text, "a number between 0 and 1", (value) => value > 0 && value < 1);
}
