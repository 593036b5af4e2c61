/** What a report shows of a table: what its columns were found to be, rows that are anomalies and why, columns beside synthetic ones. */
import { readFields } from "../../../data.ts";
import { escapeHtml } from "../../report/html.ts";
import { brief } from "../../report/numbers.ts";
import { tableSection } from "../../report/page.ts";
import { columnPictures } from "../../report/pictures.ts";
import type { Showing, Shown } from "../experiment.ts";
import { describeColumn, type NumberColumn } from "./columns.ts";
import { MADE, type TableData, tableData } from "./data.ts";
import type { TableSettings } from "./settings.ts";

/** Anomalies that are shown; anomalies.csv has more. */
const SHOWN = 8;

export async function tablePictures(showing: Showing<TableSettings>): Promise<string> {
  const { settings, input, seeds, models } = showing;
  const [seed = 0] = seeds;
  const own = models.filter((one) => one.seed === seed);
  const data = tableData(settings, input, seed, seed); // held-out noise apart, which nothing here shows
  return [
    columnsSection(data, settings, input),
    ...(own[0] ? [await anomaliesSection(own[0], input)] : []),
    await syntheticSection(data, own),
  ].join("");
}

function columnsSection(
  { table, columns, notes, training, chosenBy, heldOut }: TableData,
  { columns: said }: TableSettings,
  input: string,
): string {
  const rows = columns.map((column) => [
    column.name,
    `${describeColumn(column)}${column.said ? ", as said" : ""}`,
    String(table.rows.filter((row) => row[column.index] === undefined).length),
  ]);
  const counts = [table.rows.length, training.rows.length, chosenBy.rows.length, heldOut.rows.length].map((one) =>
    one.toLocaleString("en"),
  );
  const [all, trained, chosen, held] = counts as [string, string, string, string];
  const how =
    said === ""
      ? "Say what a column is by --set columns=NAME:KIND (integer, real, log, bounded:LOW:HIGH, category, skip)."
      : "";
  return (
    `<h2>What the columns are</h2><p>${all} rows${input === MADE ? ", made" : ""}: ${trained} to train on, ${chosen} to choose parameters, widths and shares by, ${held} held out. ${escapeHtml(how)}</p>` +
    tableSection({
      name: "What the columns are",
      rows: [["column", "taken as", "missing"], ...rows],
      texts: true,
      note: "",
    }) +
    (notes.length > 0 ? `<ul class="found">${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join("")}</ul>` : "")
  );
}

/** The least likely rows of the first contender. */
async function anomaliesSection({ title, text }: Shown, input: string): Promise<string> {
  const { rows } = readFields(new TextEncoder().encode(await text("anomalies.csv")), "anomalies.csv", {
    header: true,
    delimiter: ",",
  });
  const body = rows.slice(0, SHOWN).map(([line, trainedOn, score, ...named]) => {
    const reasons = [0, 1].flatMap((i) => {
      const [column, value, likelier, gain] = named.slice(4 * i, 4 * i + 4);
      return column && Number(gain) > 0 ? [`${column} ${value}, likelier ${likelier} (${gain} nats)`] : [];
    });
    const name = line === undefined ? "a planted row" : input === MADE ? `line ${line} of made.csv` : `line ${line}`;
    return [`${name}${trainedOn === "yes" ? ", trained on" : ""}`, score ?? "", reasons.join("; ")];
  });
  const note =
    "Scores: log-density with categories by their probability and numbers in standardised, transformed units, so that no unit has a say. " +
    "A column is named by the nats that the row would gain if it alone had the likeliest of 24 training values, or of its categories. Rows " +
    "that were trained on are found a little likelier than they are. anomalies.csv of each contender has more.";
  return (
    `<h2>Rows that are least likely</h2><p>By ${escapeHtml(title)}.</p>` +
    tableSection({
      name: "Anomalies",
      rows: [["row", "score, nats", "columns that make it so"], ...body],
      texts: true,
      note,
    })
  );
}

async function syntheticSection({ codec, heldOut }: TableData, own: readonly Shown[]): Promise<string> {
  const drawn = await Promise.all(own.map(async (one) => Float64Array.from((await one.array("samples")).data)));
  const distances = await Promise.all(own.map(async ({ array }) => (await array("column-distances")).data));
  const numbers = codec.places.flatMap(({ column, from }) => (column.kind === "number" ? [{ column, from }] : []));
  const gaps = codec.places.map(({ column }, i) => [column.name, ...distances.map((each) => brief(each[i] as number))]);
  const kinds = codec.places.flatMap(({ column }, i) => {
    if (column.kind !== "category") return [];
    const fields = [heldOut.middle, ...drawn].map((points) => codec.decode(points).map((row) => row[i]));
    return column.categories
      .slice(0, 8)
      .map((category) => [
        `${column.name}: ${category}`,
        ...fields.map((all) => brief((100 * all.filter((one) => one === category).length) / all.length)),
      ]);
  });
  // Of the columns' own scales: a logarithmic one would be a spike.
  const shownOf = (points: Float64Array) => {
    const columns = numbers.map(({ column, from }) =>
      decoded(
        codec.decode(points),
        codec.places.findIndex((one) => one.from === from),
        column,
      ),
    );
    const count = points.length / codec.dimension;
    return Float64Array.from(
      { length: count * columns.length },
      (_, at) => columns[at % columns.length]?.[Math.floor(at / columns.length)] as number,
    );
  };
  const rows = {
    values: shownOf(heldOut.middle),
    count: heldOut.rows.length,
    dimension: numbers.length,
    columns: numbers.map(({ column: { name, scale } }) => (scale === "log" ? `log10 ${name}` : name)),
    drawn: false,
  };
  const portraits = own
    .slice(0, 3)
    .map(({ title, style }, i) => ({ title, style, samples: shownOf(drawn[i] as Float64Array) }));
  const titles = own.map(({ title }) => title);
  return (
    `<h2>Synthetic rows</h2>` +
    tableSection({
      name: "Distances of columns",
      rows: [["column", ...titles], ...gaps],
      wraps: true,
      note: "Distance of a synthetic column to the held-out one: largest difference of distribution functions, of categories total variation.",
    }) +
    (kinds.length > 0
      ? tableSection({
          name: "Shares of categories",
          rows: [["category", "held out", ...titles], ...kinds],
          wraps: true,
          note: "Shares of synthetic rows, in %.",
        })
      : "") +
    (numbers.length > 0 ? columnPictures(rows, portraits) : "")
  );
}

function decoded(fields: readonly (readonly string[])[], place: number, column: NumberColumn): number[] {
  const numbers = fields.map((row) => {
    const field = row[place] as string;
    return column.isDate ? Date.parse(field) / 86_400_000 : Number(field.replace(",", "."));
  });
  return column.scale === "log"
    ? numbers.map((value) => Math.log10(Math.max(value, column.step / 2 || Number.MIN_VALUE)))
    : numbers;
}
