/** The columns of a file beside those that a model was trained on. */
import { DataError } from "../errors.ts";
import { listed } from "./column-notes.ts";

export interface ColumnMatch {
  /** For each of the model's columns, the number of the file's column that holds it, from 0. */
  readonly order: readonly number[];
  /** What was done, in a sentence; left out where the file has the model's columns and no others, in order. */
  readonly note?: string;
}

/**
 * Finds a model's columns in a file, by name. Undefined where one of the two has no names: then the order has to be
 * right by itself.
 *
 * @throws {@link DataError} when the file lacks a column, or a name stands for more columns than the model has of it.
 */
export function matchColumns(
  modelColumns: readonly string[] | undefined,
  fileColumns: readonly string[] | undefined,
  source = "file",
): ColumnMatch | undefined {
  if (!modelColumns || !fileColumns) return undefined;
  const same = modelColumns.length === fileColumns.length && modelColumns.every((name, i) => name === fileColumns[i]);
  if (same) return { order: modelColumns.map((_, i) => i) };

  const inQuotes = (names: readonly string[]) =>
    listed(
      names.map((name) => JSON.stringify(name)),
      20,
    );
  const refuse = (given: string, remedy: string) => {
    const expected = `the model's columns ${inQuotes(modelColumns)}`;
    return new DataError({ subject: `columns of ${source}`, given, expected, remedy });
  };
  const [model, file] = [placesOf(modelColumns), placesOf(fileColumns)];
  const placesIn = (name: string) => file.get(name) ?? [];
  const missing = modelColumns.filter((name) => !file.has(name));
  if (missing.length > 0) {
    const lacks = `${listed(fileColumns, 20)}; not among them ${listed(missing, 20)}`;
    throw refuse(lacks, "Rename the columns, or leave the header line out where their order is right.");
  }
  const doubtful = modelColumns.find((name) => model.get(name)?.length !== placesIn(name).length);
  if (doubtful !== undefined) {
    throw refuse(
      `${doubtful} ${placesIn(doubtful).length} times`,
      "Choose the columns by number (columns, --columns).",
    );
  }
  const order = new Array<number>(modelColumns.length);
  for (const [name, places] of model)
    for (const [which, place] of places.entries()) order[place] = placesIn(name)[which];
  const extra = fileColumns.filter((name) => !model.has(name));
  const inOrder = order.every((place, i) => i === 0 || place > order[i - 1]);
  const notes = [
    ...(extra.length > 0 ? [`leaves out ${inQuotes(extra)}, which the model does not know`] : []),
    ...(inOrder ? [] : [`puts the columns into the model's order: ${listed(modelColumns, 20)}`]),
  ];
  return { order, note: `Reading by name ${notes.join(", and ")}.` };
}

/** Where each name stands. */
function placesOf(names: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [i, name] of names.entries()) {
    const known = places.get(name);
    if (known) known.push(i);
    else places.set(name, [i]);
  }
  return places;
}
