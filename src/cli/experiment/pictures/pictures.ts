/** The report's sheets of pictures: held-out ones, samples by class, and samples beside the nearest training pictures. */
import { escapeHtml, figureOf } from "../../report/html.ts";
import type { Showing } from "../experiment.ts";
import { ROWS } from "./contenders.ts";
import { asPictures, spreadRows } from "./data.ts";
import { GUIDANCES } from "./judge.ts";
import type { Pictures } from "./picture.ts";
import type { PictureSettings } from "./settings.ts";
import { sheetImage, sheetOf } from "./sheet.ts";

/** Classes of a sheet, and pictures of each. */
const [SHOWN_CLASSES, EACH] = [10, 8];

export async function sheetsOfPictures(
  { settings, models, seeds, array }: Showing<PictureSettings>,
  classes: readonly string[] | undefined,
): Promise<string> {
  const [seed = 0] = seeds;
  const shown = models.filter((one) => one.seed === seed && one.loss !== ROWS);
  const held = await picturesIn(array("held-out", seed));
  const heldLabels = (await array("held-out-labels", seed)).data;
  const labelsOf = (wanted: number) => {
    const rows = spreadRows(heldLabels.length, wanted);
    return rows.map((row) => heldLabels[row] as number);
  };
  const few = classes?.slice(0, SHOWN_CLASSES);
  const what = few ? `a row for each of ${listed(few)}` : "pictures";
  const figure = (title: string, note: string, pictures: Pictures, labels: ArrayLike<number>) =>
    figureOf(title, note, [], sheetImage(sheetOf(pictures, rowsByClass(labels, few)), `${title}: ${what}`));
  const own = await Promise.all(
    shown.map(async ({ title, loss, array: kept }) => {
      const samples = await picturesIn(kept("samples"));
      const strength = GUIDANCES[2] as number;
      const guided = await picturesIn(kept(`guided-${strength}`)).catch(() => undefined);
      const note = loss === "map" ? "one evaluation of the network each" : `${2 * settings.solver} evaluations each`;
      return {
        sheets: [
          figure(title, note, samples, labelsOf(settings.samples)),
          ...(guided
            ? [figure(`${title}, guided`, `by strength ${strength}`, guided, guidedLabels(labelsOf, settings))]
            : []),
        ],
        pair: figureOf(
          title,
          "above: samples; below: the training pictures nearest to them",
          [],
          pairs(await picturesIn(kept("beside")), title),
        ),
      };
    }),
  );
  const [accuracy, error] = classes ? (await array("accuracy", seed)).data : [];
  const judged =
    accuracy === undefined
      ? "The pictures have no classes, so no classifier could be trained along: there is no feature distance."
      : `A small classifier that divflow trained on the same pictures names ${(100 * accuracy).toFixed(1)} ± ${(100 * (error ?? 0)).toFixed(1)} % of ` +
        "those held out right. It judges classes, and its features are what the feature distance is of: that is no FID, and compares the rows of this report alone.";
  return (
    `<h2>Samples</h2><p>${escapeHtml(judged)}</p><div class="row small-multiples">` +
    `${figure("Held out", few ? "a class in each row" : "", held, heldLabels)}${own.flatMap(({ sheets }) => sheets).join("")}</div>` +
    `<h2>Nearest training pictures</h2><p>What a model knows by heart looks like its neighbour.</p>` +
    `<div class="row charts">${own.map(({ pair }) => pair).join("")}</div>`
  );
}

const guidedLabels = (labelsOf: (wanted: number) => readonly number[], { samples, guided }: PictureSettings) => {
  const all = labelsOf(samples);
  return spreadRows(all.length, guided).map((row) => all[row] as number);
};

async function picturesIn(found: Promise<{ data: ArrayLike<number>; shape: readonly number[] }>): Promise<Pictures> {
  const { data, shape } = await found;
  return asPictures(data, shape);
}

/** The first pictures of each class, a row each; without classes a square of the first ones. */
export function rowsByClass(labels: ArrayLike<number>, classes: readonly string[] | undefined): readonly number[][] {
  const all = Array.from(labels);
  if (!classes)
    return Array.from({ length: EACH }, (_, i) => all.map((_one, row) => row).slice(i * EACH, (i + 1) * EACH)).filter(
      (row) => row.length > 0,
    );
  const rows = classes.map((_, kind) => all.flatMap((label, row) => (label === kind ? [row] : [])).slice(0, EACH));
  return rows.filter((row) => row.length > 0);
}

/** @param both - samples, and behind them the training pictures nearest to each. */
function pairs(both: Pictures, title: string): string {
  const count = both.count / 2;
  const rows = [0, count].map((from) => Array.from({ length: count }, (_, i) => from + i));
  return sheetImage(sheetOf(both, rows), `${title}: samples above the training pictures nearest to them`);
}

const listed = (names: readonly string[]) => names.join(", ");
