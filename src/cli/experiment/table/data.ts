/** The table that the experiment is of, a file's or a made one, as points: rows to train on, to choose by, and held out. */
import { type FieldsTable, readFields } from "../../../data.ts";
import { DataError, splitRows } from "../../../index.ts";
import type { Job } from "../experiment.ts";
import { expectSameInput, inputBytes } from "../input-file.ts";
import { uniformSequence } from "../random-numbers.ts";
import { type Planted, plant } from "./anomalies.ts";
import { type Rows, type TableCodec, tableCodec } from "./codec.ts";
import { type Column, findColumns, type ModelColumn } from "./columns.ts";
import { drawTable, madeColumns } from "./made-table.ts";
import type { TableSettings } from "./settings.ts";

/** What the input is where no file is. */
export const MADE = "made";

/** Rows of a part, by their number in the table, from 0. */
export interface Part {
  readonly rows: readonly number[];
  readonly fields: Rows;
  /** The middle of each value [count, D]. */
  readonly middle: Float64Array;
  /** With noise, for likelihoods [count, D]. */
  readonly noised: Float64Array;
}

export interface TableData {
  readonly table: FieldsTable;
  readonly columns: readonly Column[];
  readonly notes: readonly string[];
  readonly codec: TableCodec;
  readonly training: Part;
  /** Of the training rows, apart: what parameters, widths and shares are chosen by. */
  readonly chosenBy: Part;
  readonly heldOut: Part;
  readonly planted: Planted;
  /** Rows that lack values of the model's columns, as numbers of the table. */
  readonly incomplete: readonly number[];
}

/** Fewer complete rows than that leave nothing to judge by. */
const FEWEST = 20;

/** Rows that are planted, at most. */
const PLANTED = 200;

const CHOSEN_BY = 0.1;

/** The table of an input, and what its columns are. */
export function readTable(settings: TableSettings, input: string, seed: number) {
  const table =
    input === MADE ? madeTable(settings, seed) : readFields(inputBytes(input, `a CSV file, or "${MADE}"`), input);
  const found = findColumns(table, input === MADE ? "made table" : input, settings.columns);
  const own = found.columns.filter((one): one is ModelColumn => one.kind === "number" || one.kind === "category");
  const isWhole = (row: readonly (string | undefined)[]) => own.every(({ index }) => row[index] !== undefined);
  const numbers = table.rows.map((_, row) => row);
  const complete = numbers.filter((row) => isWhole(table.rows[row] as Rows[number]));
  const incomplete = numbers.filter((row) => !isWhole(table.rows[row] as Rows[number]));
  if (own.length < 2 || complete.length < FEWEST) {
    const odd = found.notes.length > 0 ? ` ${found.notes.join(" ")}` : "";
    throw new DataError({
      subject: input,
      given: `${own.length} columns for a model, ${complete.length} of ${table.rows.length} rows with all of them`,
      expected: `at least 2 columns and ${FEWEST} rows`,
      remedy: `Give more rows, leave out columns that are often empty (--set columns=NAME:skip), or say what others are.${odd}`,
    });
  }
  return { table, ...found, own, complete, incomplete };
}

/** Refuses what cannot be, before any work. */
export function checkTable(settings: TableSettings, input: string): void {
  readTable(settings, input, 0);
}

function madeTable({ rows }: TableSettings, seed: number): FieldsTable {
  const made = drawTable(rows, seed);
  return { columns: madeColumns, header: true, rows: made, lines: made.map((_, row) => row + 2), notes: [] };
}

/** The whole, a function of its arguments. */
export function tableData(settings: TableSettings, input: string, seed: number, evaluationSeed: number): TableData {
  const { table, columns, notes, own, complete, incomplete } = readTable(settings, input, seed);
  const split = splitRows(complete.length, settings.heldOut, seed);
  const within = splitRows(split.training.length, CHOSEN_BY, seed);
  // In any order: a file may be sorted by one of its columns, and of some parts the first rows are used.
  const numbersOf = (places: ArrayLike<number>) =>
    shuffled(
      Array.from(places, (place) => complete[place] as number),
      seed + 3,
    );
  const trained = Array.from(within.training, (place) => split.training[place] as number);
  const chosen = Array.from(within.heldOut, (place) => split.training[place] as number);
  const fieldsOf = (rows: readonly number[]) => rows.map((row) => table.rows[row] as Rows[number]);
  const codec = tableCodec(own, fieldsOf(numbersOf(split.training)));
  const partOf = (rows: readonly number[], noise: () => number): Part => {
    const fields = fieldsOf(rows);
    return { rows, fields, middle: codec.encode(fields, () => 0.5), noised: codec.encode(fields, noise) };
  };
  const heldOut = partOf(numbersOf(split.heldOut).slice(0, settings.points), uniformSequence(evaluationSeed));
  const count = Math.min(PLANTED, heldOut.rows.length);
  const texts = complete.map((row) => own.map(({ index }) => table.rows[row]?.[index]).join("\u0000"));
  const again = texts.length - new Set(texts).size;
  return {
    ...{ table, columns, codec, heldOut, incomplete },
    notes: [
      ...notes,
      ...(again > 0 ? [`${again} rows are the same as another one: some of them are trained on and held out.`] : []),
      ...(incomplete.length > 0
        ? [`${incomplete.length} rows lack values: models are trained on the others, and fill these (filled.csv).`]
        : []),
    ],
    training: partOf(numbersOf(trained), uniformSequence(seed)),
    chosenBy: partOf(numbersOf(chosen), uniformSequence(seed + 1)),
    planted: plant(heldOut.middle, codec, count, evaluationSeed + 1),
  };
}

function shuffled(rows: readonly number[], seed: number): number[] {
  const uniform = uniformSequence(seed);
  return rows
    .map((row) => [uniform(), row] as const)
    .sort(([a], [b]) => a - b)
    .map(([, row]) => row);
}

/** Rows are given several times, each with other noise, up to about so many. */
const [ENOUGH, MOST_COPIES] = [20_000, 16];

/** What models are trained on: the training rows, often enough that noise is not learned by heart. */
export function trainingPoints({ codec, training }: TableData, seed: number): Float64Array {
  const copies = Math.max(1, Math.min(MOST_COPIES, Math.ceil(ENOUGH / training.rows.length)));
  const noise = uniformSequence(seed + 2);
  const all = new Float64Array(copies * training.middle.length);
  for (let copy = 0; copy < copies; copy++)
    all.set(codec.encode(training.fields, noise), copy * training.middle.length);
  return all;
}

/** The data of a seed; held-out points are kept, so that a file that changes is found. */
export async function prepareTable(job: Job<TableSettings>): Promise<TableData> {
  const { settings, input, seed, evaluationSeed, kept, keptText } = job;
  const data = tableData(settings, input, seed, evaluationSeed);
  if (input === MADE) await keptText("made.csv", () => csvOf(data.table.columns, data.table.rows));
  for (const name of ["training", "heldOut"] as const) {
    const { middle, rows } = data[name];
    const { data: before } = await kept(name, () => ({ values: middle, shape: [rows.length, data.codec.dimension] }));
    expectSameInput(input, "another table", before, middle);
  }
  return data;
}

/** Text of a table; fields stand in quotes where they have to. */
export function csvOf(columns: readonly string[], rows: readonly (readonly (string | undefined)[])[]): string {
  const quoted = (field = "") => (/[",;|\t\r\n#]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
  return [columns, ...rows].map((row) => `${row.map(quoted).join(",")}\n`).join("");
}
