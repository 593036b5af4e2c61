/** Data that come as they are made, as users give them; see docs/data.md for what a resumed run is given. */
import { ConfigError } from "../errors.ts";
import { isSizes, type Shape, sizeOf } from "../graph/node.ts";
import { isRecord, optionsObject } from "../graph/options.ts";
import type { ConditionValues, Numbers } from "./numbers.ts";
import type { DataCondition, DataSource, StreamStart } from "./source.ts";
import { parseStandardization, type Standardization } from "./standardize.ts";
import { streamSource } from "./stream-source.ts";

/** Some rows, as many as there are: points in data units, and what is told of each by name. */
export type StreamedRows =
  | Numbers
  | { readonly values: Numbers; readonly conditions?: Readonly<Record<string, ConditionValues>> };

/** Rows that come one after the other. */
export type RowStream = AsyncIterable<StreamedRows> | Iterable<StreamedRows>;

export interface StreamDataOptions {
  /** Of a point, such as [28, 28, 1]. */
  readonly shape: Shape;
  /** What is told of each point, by name: `{ label: { classes: 10 }, age: {} , frames: { shape: [3, 2] } }`. */
  readonly conditions?: Readonly<Record<string, Partial<DataCondition>>>;
  /** From data units to model units, of D numbers each; left out: they are the same. */
  readonly standardization?: Standardization;
  /**
   * The rows, any number at a time, or a function that gives them from a place on. Where they end they are asked for
   * again: an epoch each.
   */
  readonly batches: RowStream | ((start: StreamStart) => RowStream);
}

/**
 * Points that come as they are made: from a generator, a simulation, a file larger than memory. Training takes each row
 * once, in order, and asks for the next while steps run; a run goes on in submissions of 64 steps at most. Equal rows
 * give equal bits, whatever the sizes that they come in. A resumed run, or one that goes on after a lost device, asks
 * `batches` anew: a function is told where to begin, anything else begins at its start.
 *
 * There are no rows to hold out, to sample or to evaluate losses on: give `validation` a source of its own. Where the engine
 * is in a worker, it asks the page for rows: `batches` stays where it is.
 *
 * @throws {@link ConfigError} when an option is unknown or wrong. What comes is checked as it comes: a {@link DataError} that
 * names the row ends the run, whose state stays.
 * @example
 * const data = streamData({ shape: [3], batches: async function* () { for (;;) yield await simulate(); } });
 */
export function streamData(options: StreamDataOptions): DataSource {
  const known = ["shape", "conditions", "standardization", "batches"] as const;
  const {
    shape,
    batches,
    conditions: given,
    standardization: units,
  } = optionsObject("options of streamData", options, known);
  if (!isSizes(shape) || shape.length === 0 || shape.includes(0)) {
    const facts = {
      given: shape,
      expected: "positive integers, one at least",
      remedy: "Give a point's sizes, such as [2].",
    };
    throw new ConfigError({ subject: "shape of streamData", ...facts });
  }
  if (typeof batches !== "function" && !isStream(batches)) {
    throw new ConfigError({
      subject: "batches of streamData",
      given: batches ?? String(batches),
      expected: "an iterable or async iterable of rows, or a function that gives one",
      remedy: "Give such as async function* () { for (;;) yield rows; }.",
    });
  }
  const dimension = sizeOf(shape);
  const standardization = units && parseStandardization(units, dimension, "standardization of streamData");
  const conditions = given === undefined ? undefined : declared(given);
  return streamSource(
    { shape, ...(conditions ? { conditions } : {}), ...(standardization ? { standardization } : {}) },
    { from: typeof batches === "function" ? batches : () => batches, isOwn: typeof batches === "function" },
  );
}

function isStream(given: unknown): given is RowStream {
  return Object(given) === given && (Symbol.asyncIterator in (given as object) || Symbol.iterator in (given as object));
}

function declared(given: Readonly<Record<string, Partial<DataCondition>>>): Readonly<Record<string, DataCondition>> {
  if (!isRecord(given)) {
    const facts = { given, expected: "conditions by name", remedy: "Give such as { label: { classes: 10 } }." };
    throw new ConfigError({ subject: "conditions of streamData", ...facts });
  }
  return Object.fromEntries(
    Object.entries(given).map(([name, one]) => {
      const subject = `condition "${name}" of streamData`;
      const { shape = [], ...rest } = optionsObject(subject, one, ["shape", "classes", "names", "standardization"]);
      const { classes = rest.names?.length, names, standardization } = rest;
      const isLabel = classes !== undefined;
      const fits = isLabel
        ? Number.isSafeInteger(classes) && classes > 0 && (names?.length ?? classes) === classes
        : true;
      if (!fits || !isSizes(shape) || shape.includes(0) || (isLabel && shape.length > 0)) {
        const expected = "the shape of numbers, or how many classes labels have and a name for each";
        throw new ConfigError({ subject, given: one, expected, remedy: "Declare it as a network does." });
      }
      const units = standardization && parseStandardization(standardization, sizeOf(shape), subject);
      const made = {
        ...(isLabel ? { classes } : {}),
        ...(names ? { names } : {}),
        ...(units ? { standardization: units } : {}),
      };
      return [name, { shape, ...made }];
    }),
  );
}
