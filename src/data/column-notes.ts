/** What looks wrong about the columns of a table, in sentences: an index among the data, what never changes, names twice. */

import { printable } from "../errors.ts";

export interface Columns {
  /** Row-major [count, dimension]. */
  readonly values: Float32Array | Float64Array;
  readonly count: number;
  readonly dimension: number;
  /** Names, if there are any. */
  readonly columns?: readonly string[] | undefined;
}

/** Names that columns have which number the rows; pandas calls one without a name "Unnamed: 0" when it reads it. */
const indexName = /^(unnamed: ?[\d.]+|index|idx|id|row|rows|row[._ ]?(names?|id|number)|nr|no)?$/i;

/** Characters of a name that lists show. */
const LONGEST_WORD = 60;

/** Fewer rows may count by chance. */
const FEWEST_COUNTING = 3;

export function columnNotes(table: Columns): string[] {
  const { count, dimension, columns } = table;
  const notes: string[] = [];
  const all = Array.from({ length: dimension }, (_, column) => column);
  const every = (column: number, fits: (value: number, row: number) => boolean): boolean => {
    for (let row = 0; row < count; row++) if (!fits(table.values[row * dimension + column], row)) return false;
    return true;
  };
  const counts = (column: number): boolean => {
    const first = table.values[column];
    return (
      count >= FEWEST_COUNTING && (first === 0 || first === 1) && every(column, (value, row) => value === first + row)
    );
  };
  const named = (column: number): boolean =>
    columns !== undefined && indexName.test(columns[column]) && (columns[column] !== "" || column === 0);
  const constant = all.filter((column) => count > 1 && every(column, (value) => value === table.values[column]));
  const indices = all.filter(
    (column) => dimension > 1 && (counts(column) || (named(column) && every(column, Number.isInteger))),
  );

  if (indices.length > 0) {
    const remedy =
      indices[0] === 0 ? "skipIndex (--skip-index) leaves the first column out" : "columns (--columns) chooses";
    const [subject, verb] = indices.length > 1 ? ["Columns", "look"] : ["Column", "looks"];
    notes.push(`${subject} ${listNames(indices, columns)} ${verb} like an index, not like data: ${remedy}.`);
  }
  if (constant.length > 0) {
    const [subject, verb] = constant.length > 1 ? ["Columns", "never change"] : ["Column", "never changes"];
    const it = constant.length > 1 ? "them" : "it";
    notes.push(
      `${subject} ${listNames(constant, columns)} ${verb}: a model learns nothing from ${it}, and likelihoods ` +
        `with ${it} mean nothing; leave ${it} out (columns, --columns).`,
    );
  }
  const seen = new Set<string>();
  const twice = [...new Set(columns?.filter((name) => name !== "" && seen.size === seen.add(name).size))];
  if (twice.length > 0) {
    notes.push(
      `More than one column is called ${listed(twice.map((name) => JSON.stringify(name)))}: choose by number.`,
    );
  }
  return notes;
}

/** Columns as people call them: by name in quotes, else by number from 1. */
function listNames(numbers: readonly number[], columns: readonly string[] | undefined): string {
  return listed(numbers.map((column) => (columns?.[column] ? JSON.stringify(columns[column]) : `${column + 1}`)));
}

/** A list in words, as messages show it: cut short where it is long, or a word is. */
export function listed(all: readonly string[], most = 8): string {
  const words = all.map((word, i) => (i < most ? printable(word, LONGEST_WORD) : word));
  return words.length > most ? `${words.slice(0, most - 1).join(", ")}, ... (${words.length})` : words.join(", ");
}
