/** Starts in place of noise: what models are trained to carry into the data, and what samples begin at. */
import { columnsOf } from "../data.ts";
import { arrayData, ConfigError, DataError, type DataSource, type Model, type Points, sampleData } from "../index.ts";
import { isPointsFile, openData, readPointsFile } from "./data.ts";
import { checkInput } from "./files.ts";
import { remark } from "./output.ts";
import { counted } from "./report/numbers.ts";

export const startsArgument = {
  type: "string",
  description: "what samples start from, of a model trained with --start: a file of points, or a data set by name",
} as const;

/** Of `train`. */
export const startArgument = {
  type: "string",
  description: "what to carry into the data, in place of noise: a data set by name, or a file of points",
} as const;

/** What can be said of --start before the data are read. */
export async function checkStart(given: string): Promise<void> {
  if (isPointsFile(given)) await checkInput(given);
  else await opened(given);
}

/** What training starts from: points in the units of the data. */
export async function startOf(given: string, data: DataSource): Promise<DataSource> {
  if (!isPointsFile(given)) {
    const source = await opened(given);
    expectDimension(given, source.dimension, data.dimension);
    return source;
  }
  const { values, count, dimension, shape = data.shape ?? [dimension] } = await readStartFile(given, data);
  return arrayData(values, [count, ...shape]);
}

/**
 * What can be said of --start before the model is read.
 *
 * @param count - of --count, where it is given.
 */
export async function checkStarts(given: string, count: number | undefined): Promise<void> {
  if (!isPointsFile(given)) await opened(given);
  else if (count !== undefined) {
    throw new ConfigError({
      subject: "--count",
      given: `${count} beside --start ${given}`,
      expected: "no such option there: each row of the file leads to a sample",
      remedy: "Leave it out, or name a data set to draw from.",
    });
  }
}

/** Points to start from, row-major, in data units: a file's, or so many of a data set by this seed. */
export async function readStarts(
  given: string,
  model: Pick<Model, "dimension" | "columns">,
  { count, seed }: { readonly count: number; readonly seed: number },
): Promise<Float32Array | Float64Array> {
  if (isPointsFile(given)) return (await readStartFile(given, model)).values;
  const source = await opened(given);
  expectDimension(given, source.dimension, model.dimension);
  return sampleData(source, count, seed);
}

/** The points of a file; columns of the data's names are found by these, others are taken as they stand. */
export async function readStartFile(
  path: string,
  { dimension, columns }: Pick<DataSource, "dimension" | "columns">,
): Promise<Points> {
  const points = await readPointsFile(path, {}, { trained: true });
  const own = points.columns;
  if (columns && own && columns.every((name) => own.includes(name))) {
    const order = columns.map((name) => own.indexOf(name));
    if (order.every((column, i) => column === i) && own.length === order.length) return points;
    remark(`${path}: columns are taken by the names of the data.`);
    return { ...points, values: columnsOf(points.values, points.count, points.dimension, order), dimension, columns };
  }
  expectDimension(path, points.dimension, dimension);
  return points;
}

async function opened(name: string): Promise<DataSource> {
  try {
    return await openData(name);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { facts } = error;
    throw new ConfigError({ ...facts, subject: `--start, ${facts.subject}` });
  }
}

function expectDimension(given: string, own: number, dimension: number): void {
  if (own === dimension) return;
  throw new DataError({
    subject: `--start ${given}`,
    given: `rows of ${counted(own, "number")}`,
    expected: `rows of ${dimension}, as the data have`,
    remedy: "Give points of as many coordinates.",
  });
}
