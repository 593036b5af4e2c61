/** Files that experiments are of: read at once, and the same whenever a run goes on. */
import { readFileSync } from "node:fs";
import { DataError } from "../../index.ts";

/** @param expected - what the file is to be: "a CSV file, or ...". */
export function inputBytes(path: string, expected: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    const given = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new DataError({ subject: path, given, expected, remedy: "Check the path." }, { cause });
  }
}

/**
 * @param other - what the file is now: "another table".
 * @throws {@link DataError} where the values are not those that a run began with.
 */
export function expectSameInput(
  input: string,
  other: string,
  before: ArrayLike<number>,
  values: ArrayLike<number>,
): void {
  if (before.length === values.length && Array.from(before).every((value, i) => value === values[i])) return;
  throw new DataError({
    subject: input,
    given: `${other} than the run began with`,
    expected: "the same file",
    remedy: "Give the file as it was, or begin anew with --force or in another folder.",
  });
}
