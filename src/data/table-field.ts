/** One field of a table as text: what kind of thing it is, and its number. */
import { DataError, printable } from "../errors.ts";

/** How decimals are written. */
export type Decimal = "." | ",";

// All of them look at each character a bounded number of times: a field may be of any length. So no two repetitions that
// may take the same characters stand side by side.
const withPoint = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const withComma = /^[+-]?(\d+(,\d*)?|,\d+)(e[+-]?\d+)?$/i;

/** What programs write where there is no value: pandas, R, SQL, spreadsheets, hands. In lower case. */
const missing =
  /^([+-]?nan|<?na>?|n\/a|nat|null|none|nil|-+|\.+|\?+|#(n\/a|num!|div\/0!|value!|ref!|name\?|null!).*)?$/i;

/** A number in another notation: decimal commas, thousands apart, hexadecimal, infinite. */
const otherNumber = /^[+-]?(\d[\d.,'_ \u00a0\u202f]*(e[+-]?\d+)?|[.,]\d+|0x[\da-f]+|inf|infinity)$/i;

/** "text" is neither a number, in whatever notation, nor a sign of a missing value. */
export type FieldKind = "number" | "missing" | "text";

export function kindOf(field: string): FieldKind {
  if (withPoint.test(field) || otherNumber.test(field)) return "number";
  return missing.test(field) ? "missing" : "text";
}

/** The number that a field writes; NaN where it writes none that is finite. */
export function numberIn(field: string, decimal: Decimal): number {
  if (decimal === ",") return withComma.test(field) ? finite(Number(field.replace(",", "."))) : Number.NaN;
  return withPoint.test(field) ? finite(Number(field)) : Number.NaN;
}

const finite = (value: number): number => (Number.isFinite(value) ? value : Number.NaN);

/**
 * What is wrong with a field that holds no finite number.
 *
 * @param where - file and line.
 * @param index - the column, from 0.
 * @param name - of the column, where it has one.
 * @param decimal - how decimals were to be read.
 * @param first - whether it is of the first line, which might have been a header.
 */
export function badField(
  where: string,
  index: number,
  name: string | undefined,
  field: string,
  decimal: Decimal,
  first: boolean,
): DataError {
  const column = name ? `column ${printable(JSON.stringify(name), 60)}` : `column ${index + 1}`;
  return new DataError({
    subject: `${where}, column ${index + 1}`,
    given: field,
    expected: "a finite number",
    remedy: remedyFor(field, column, decimal, first),
  });
}

function remedyFor(field: string, column: string, decimal: Decimal, first: boolean): string {
  const leaveOut = `leave ${column} out (columns, --columns)`;
  if (/^[+-]?(inf|infinity)$/i.test(field) || kindOf(field) === "missing") {
    return `Remove the line, fill the gap, or ${leaveOut}.`;
  }
  if (decimal === "," && withPoint.test(field)) {
    return "Write decimals with a comma, or leave that option out.";
  }
  if (/^[+-]?\d{1,3}(([.'_ \u00a0\u202f]\d{3})+([.,]\d*)?|(,\d{3})+\.\d*|(,\d{3}){2,})$/.test(field)) {
    return "Write no thousands separators.";
  }
  if (decimal === "." && /\d,\d/.test(field)) {
    return "Write decimals with a point, not a comma, and no thousands separators; or give decimal ',' (--decimal comma).";
  }
  if (/\d[;|\t ]+[+-]?\d/.test(field)) return "Set fields apart by the same character on every line.";
  if (withPoint.test(field)) return `It is beyond the largest number; correct it, or ${leaveOut}.`;
  const header = first ? " If the line holds names, say so: header true (--header yes)." : "";
  return `Points are numbers only: give it as a number, take it as a label (labels, --label), or ${leaveOut}.${header}`;
}
