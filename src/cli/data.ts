/** What a `data` argument means: a set by name, or a user's file, whose points are read and of which is said what was read. */
import { stat } from "node:fs/promises";
import {
  CsvReader,
  columnsOf,
  isNpy,
  isZip,
  matchColumns,
  NpyReader,
  NpzArchive,
  pointsOfArray,
  pointsOfTable,
  type RandomAccess,
} from "../data.ts";
import { type TrajectoriesName, trajectoriesNamed, trajectoryNames } from "../dynamics.ts";
import {
  arrayData,
  type ConditionValues,
  ConfigError,
  type DataSource,
  dataFrom,
  dataNames,
  type Points,
} from "../index.ts";
import { oneOf } from "./arguments.ts";
import { farNotes } from "./far-values.ts";
import { type FilePieces, openFile } from "./file-pieces.ts";
import { remark } from "./output.ts";
import {
  type KnownConditions,
  type ToldArguments,
  type ToldNames,
  toldArguments,
  toldNames,
  withNames,
} from "./told.ts";

/** The options that reading a file takes, for `defineCommand`. */
export const dataArguments = {
  columns: { type: "string", description: "columns of the file to keep, in this order: a,b,c or numbers from 0" },
  header: { type: "string", description: "whether the first line of a text file holds names: yes or no (it is seen)" },
  "skip-index": { type: "boolean", description: "leave out the first column, which numbers or labels the rows" },
  decimal: { type: "string", description: "how a text file writes decimals: point or comma (point)" },
  array: { type: "string", description: "which array of a .npz file (the only one of two axes or more)" },
  ...toldArguments,
} as const;

export interface DataArguments extends ToldArguments {
  readonly columns?: string | undefined;
  readonly header?: string | undefined;
  readonly "skip-index"?: boolean | undefined;
  readonly decimal?: string | undefined;
  readonly array?: string | undefined;
}

/** The endings of files of points, as sentences list them. */
const endings = ".csv, .tsv, .txt, .npy and .npz";

/** Whether a `data` argument means a file of points: by its ending, or a pipe, whose bytes tell what they are. */
export function isPointsFile(given: string): boolean {
  return /\.(npy|npz|csv|tsv|txt)$|^\/dev\/(stdin|fd\/\d+)$/i.test(given);
}

/** All data sets by name. */
export const setNames: readonly string[] = [...dataNames, ...trajectoryNames];

/** Whether it names trajectories, which are as many as are solved before training. */
export function isTrajectories(name: string): name is TrajectoriesName {
  return (trajectoryNames as readonly string[]).includes(name);
}

/** A comparison judges by points that training has not seen, and of these sets there are none. */
export function refuseTrajectories(name: string): void {
  if (!isTrajectories(name)) return;
  throw new ConfigError({
    subject: "data of compare",
    given: name,
    expected: "a set that is drawn anew, or a file of points, some of which can be held out",
    remedy: "Write the trajectories into a .npy file, and compare on that: divflow/dynamics has them as data.values.",
  });
}

/** A data set by name, or the points of a file, standardised; says on standard error what was read. */
export async function openData(given: string, args: DataArguments = {}, model: Expected = {}): Promise<DataSource> {
  if (isPointsFile(given)) return dataOf(await readPointsFile(given, args, model));
  const found = setNames.some((name) => name === given) ? undefined : await stat(given).catch(() => undefined);
  if (found || /[./\\]/.test(given)) throw unknownEnding(given, found?.isDirectory());
  refuseReading(args, given);
  const name = oneOf("data", given, setNames);
  return isTrajectories(name) ? trajectoriesNamed(name) : dataFrom({ name, options: {} });
}

/** Points as what is trained on: standardised, of shapes of more axes by channel. */
export function dataOf({ values, count, dimension, shape, columns, conditions }: Points): DataSource {
  const named = columns?.filter((name) => name !== "") ?? [];
  const known = new Set(named).size === named.length; // a name that two columns have is none: the file's note says so
  return arrayData(values, [count, ...(shape ?? [dimension])], {
    standardize: shape ? "channel" : true,
    ...(columns && known && { columns }),
    ...(conditions && { conditions }),
  });
}

/** What a model knows of its data. */
export interface Expected {
  /** Names of its coordinates. */
  readonly columns?: readonly string[] | undefined;
  /** What it is told beside them, by name. */
  readonly conditions?: KnownConditions | undefined;
  /** Whether it is trained already: nothing of the file is learnt. */
  readonly trained?: boolean;
}

/**
 * The points of a file; says on standard error what was read, and what looks wrong. Where a model and the file both
 * have names, its columns are found by name and put in its order.
 *
 * @throws {@link DataError} when the file cannot be read as points, or lacks a column of the model.
 */
export async function readPointsFile(path: string, args: DataArguments = {}, model: Expected = {}): Promise<Points> {
  if (!isPointsFile(path)) throw unknownEnding(path, (await stat(path).catch(() => undefined))?.isDirectory());
  const told = toldNames(args, model.conditions);
  const options = { ...readingOptions(args), ...told };
  const named = (points: Points) => withNames(points, told.labels, model.conditions);
  const file = await openFile(path);
  try {
    const start = await file.start();
    const archive = isZip(start) || /\.npz$/i.test(path);
    if (args.array !== undefined && !archive) throw noArchive(args.array);
    if (archive) {
      return said(path, named(await readArchive(await file.whole(), path, args.array, options)), model, true);
    }
    if (isNpy(start) || /\.npy$/i.test(path)) {
      return said(path, await readArray(await file.whole(), path, options), model, true);
    }
    return said(path, named(await readText(file, path, options, model)), model, false);
  } finally {
    await file.close();
  }
}

function noArchive(given: string): ConfigError {
  const facts = { given, expected: "no such option beside a file of one table", remedy: "Leave it out." };
  return new ConfigError({ subject: "--array", ...facts });
}

/** These options checked, which needs no file. */
export function readingOptions(args: DataArguments) {
  const header = args.header === undefined ? undefined : oneOf("--header", args.header, ["yes", "no"] as const);
  const decimal =
    args.decimal === undefined ? undefined : oneOf("--decimal", args.decimal, ["point", "comma"] as const);
  return {
    ...(header && { header: header === "yes" }),
    ...(decimal && { decimal: decimal === "comma" ? ("," as const) : ("." as const) }),
    ...(args.columns !== undefined && { columns: args.columns.split(",").map((name) => name.trim()) }),
    ...(args["skip-index"] && { skipIndex: true }),
  };
}

type ReadingOptions = ReturnType<typeof readingOptions> & ToldNames;

async function readText(
  file: FilePieces,
  path: string,
  options: ReadingOptions,
  { columns }: Expected,
): Promise<Points> {
  const reader = new CsvReader(path, options, (names) => {
    const match = matchColumns(columns, names, path);
    if (match?.note) remark(`${path}: ${match.note}`);
    return match?.order;
  });
  for await (const piece of file.pieces()) reader.push(piece);
  return inModelOrder(pointsOfTable(reader.end(), path), columns, path);
}

/** Points whose columns were chosen by hand, in the order of the model's. */
function inModelOrder(points: Points, columns: readonly string[] | undefined, path: string): Points {
  const match = matchColumns(columns, points.columns, path);
  if (!match?.note) return points;
  remark(`${path}: ${match.note}`);
  const values = columnsOf(points.values, points.count, points.dimension, match.order);
  return { ...points, values, dimension: match.order.length, columns };
}

/** Bytes read at once. */
const PIECE = 1 << 22;

async function readArray(file: RandomAccess, path: string, options: ReadingOptions): Promise<Points> {
  const reader = new NpyReader(path, file.size);
  for (let at = 0; at < file.size; at += PIECE) reader.push(await file.read(at, Math.min(PIECE, file.size - at)));
  return pointsOfArray(reader.end(), path, options);
}

async function readArchive(
  file: RandomAccess,
  path: string,
  asked: string | undefined,
  options: ReadingOptions,
): Promise<Points> {
  const archive = await NpzArchive.open(file, path);
  const { labels = [], conditions = [], ...reading } = options;
  const told = [...labels, ...conditions];
  const name = archive.choose(asked, told);
  const points = pointsOfArray(await archive.read(name), `${path}, ${name}`, reading);
  if (told.length === 0) return points;
  const arrays = new Map<string, ConditionValues>();
  for (const one of told) {
    const { data, shape } = await archive.read(one);
    arrays.set(one, { values: data, shape });
  }
  return { ...points, conditions: Object.fromEntries(arrays) };
}

/** Says `points.csv: 16,000 rows x 10 columns: age, income, ...; first row is a header`, and a line for each doubt. */
function said(path: string, points: Points, model: Expected, isArray: boolean): Points {
  const { count, dimension, shape, columns, conditions, notes = [] } = points;
  const size = `${counted(count, "row")} ${shape ? `of shape [${shape.join(", ")}]` : `x ${counted(dimension, "column")}`}`;
  const told = conditions ? `; told of each: ${Object.entries(conditions).map(toldInWords).join(", ")}` : "";
  const names = columns ? `: ${listOf(columns)}; first row is a header` : isArray ? "" : "; no header";
  remark(`${path}: ${size}${names}${told}`);
  for (const note of [...notes, ...(shape ? [] : farNotes(points))]) {
    if (!(model.trained && /^Columns? .* never changes?: /.test(note))) remark(`  ${note}`);
  }
  if (model.columns && !columns && dimension === model.columns.length) {
    remark(`  It has no names; its columns are taken for the model's, in order: ${listOf(model.columns)}.`);
  }
  return points;
}

/** A condition in a line of a terminal: labels with how many kinds there are. */
function toldInWords([name, values]: [string, ConditionValues]): string {
  const { names, classes = names?.length } = values as { names?: readonly string[]; classes?: number };
  return `${listOf([name])}${classes === undefined ? "" : ` (${counted(classes, "kind")})`}`;
}

const counted = (count: number, noun: string): string =>
  `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

/** Names in one line of a terminal. */
function listOf(names: readonly string[]): string {
  const shown = names.map((name) => (/^[^\s,;"]+$/.test(name) ? name : JSON.stringify(name)));
  return shown.length > 10 ? `${shown.slice(0, 9).join(", ")}, ...` : shown.join(", ");
}

/** Options of reading mean nothing beside a set by name. */
function refuseReading(args: DataArguments, name: string): void {
  const options = Object.keys(dataArguments) as (keyof DataArguments)[];
  const given = options.find((option) => args[option] !== undefined && args[option] !== false);
  if (given === undefined) return;
  throw new ConfigError({
    subject: `--${given}`,
    given: `beside the data set ${name}`,
    expected: "no such option there",
    remedy: "Leave it out: it is for files of points.",
  });
}

function unknownEnding(path: string, isFolder = false): ConfigError {
  const packed = /\.(gz|zip|xz|bz2|zst)$/i.test(path);
  return new ConfigError({
    subject: `data ${path}`,
    given: isFolder ? "a folder" : "a file of another kind",
    expected: `a data set by name (${setNames.join(", ")}), or a file of points: ${endings}`,
    remedy: isFolder
      ? "Name a file in it."
      : packed
        ? "Unpack it first."
        : "Save the table as CSV, or the array with numpy.save.",
  });
}
