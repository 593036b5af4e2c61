/** Samples as a table: of points with many numbers all that is shown, of others what stands behind the picture. */
import { element } from "./elements.ts";
import { type DrawnSamples, momentsOf, type Range, rangeOf, short } from "./samples.ts";

const MOST_ROWS = 100;
const MOST_COLUMNS = 64;

export function tableOf(samples: DrawnSamples): HTMLTableElement {
  const { values, count, dimension, columns, labels } = samples;
  const shown = columns.slice(0, MOST_COLUMNS);
  const ranges = shown.map((_, column) => rangeOf(values, column, dimension));
  const header = ["", ...shown, ...(labels ? ["label"] : [])];
  const rows = Array.from({ length: Math.min(count, MOST_ROWS) }, (_, i) => {
    const cells = ranges.map((range, column) => short(values[i * dimension + column] as number, range));
    return row(`${i + 1}`, [...cells, ...(labels ? [labels.names[labels.of[i] as number] as string] : [])]);
  });
  const moments = shown.map((_, column) => momentsOf(samples, column));
  const summary = (name: string, of: "mean" | "deviation") =>
    row(name, [...moments.map((each, i) => short(each[of], ranges[i] as Range)), ...(labels ? [""] : [])]);
  return element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...header.map((name) => headerCell(name, "col")))),
    element("tbody", {}, summary("mean of all", "mean"), summary("standard deviation", "deviation"), ...rows),
  );
}

export function tableSummary({ count, columns }: DrawnSamples): string {
  const rows = count > MOST_ROWS ? `, the first ${MOST_ROWS} of which are shown` : "";
  const of = columns.length > MOST_COLUMNS ? `, the first ${MOST_COLUMNS} of which are shown` : "";
  return `${count.toLocaleString("en")} samples${rows}, of ${columns.length} numbers${of}.`;
}

function row(name: string, cells: readonly string[]): HTMLTableRowElement {
  return element("tr", {}, headerCell(name, "row"), ...cells.map((text) => element("td", {}, text)));
}

function headerCell(text: string, scope: string): HTMLTableCellElement {
  return text === "" ? element("td") : element("th", { scope }, text);
}
