/** Pictures of trajectories: true and generated ones in a plane, continuations beside the true ones, the event's statistic. */
import { marks, markText } from "../../report/axes.ts";
import { type Curve, chart } from "../../report/curves.ts";
import { distributionChart, outline } from "../../report/distribution.ts";
import { escapeHtml, figureOf } from "../../report/html.ts";
import { brief } from "../../report/numbers.ts";
import type { Range } from "../../report/rows.ts";
import type { Showing } from "../experiment.ts";
import { PARTS } from "./judge.ts";
import { histogramDistance, shareAboveZero, spanOf, type Trajectories, trajectoryOf } from "./measures.ts";
import type { TrajectorySettings } from "./settings.ts";
import type { TrajectorySystem } from "./system.ts";

/** Trajectories of a picture of the plane: more would hide each other. */
const DRAWN = 16;

/** Continuations that are shown. */
const CONTINUED = 2;

export async function trajectoryPictures(
  system: TrajectorySystem,
  { settings, models, seeds, array }: Showing<TrajectorySettings>,
): Promise<string> {
  const [seed = 0] = seeds;
  const shown = models.filter((one) => one.seed === seed);
  const shaped = (values: ArrayLike<number>): Trajectories => {
    return { values, length: settings.length, coordinates: system.coordinates.length };
  };
  const truth = shaped((await array("held-out", seed)).data);
  const made = await Promise.all(
    shown.map(async ({ title, style, array: own }) => ({
      ...{
        title,
        style,
        samples: shaped((await own("samples")).data),
        continued: shaped((await own("continued")).data),
      },
      ...{ statistics: (await own("sample-statistics")).data, guided: (await own("guided-statistics")).data },
    })),
  );
  const { plane } = system;
  const spans = plane?.map((coordinate) => roomy(spanOf(columnOf(truth, coordinate))));
  const planes = [
    { title: "True", style: "exact", samples: truth, note: "held-out trajectories" },
    ...made.map((one) => ({ ...one, note: "generated" })),
  ].map(({ title, style, samples, note }) =>
    plane
      ? figureOf(title, `${DRAWN} ${note}`, [], planeOf(system, plane, samples, spans as [Range, Range], style, title))
      : "",
  );
  // What has no motion has nothing to go on with.
  const followed = Array.from({ length: plane ? Math.min(CONTINUED, settings.continued) : 0 }, (_, row) => {
    const [shownOf] = plane as readonly [number, number];
    const curve = (name: string, style: string, from: Trajectories): Curve => ({
      ...{ name, style, exact: true },
      points: curveOf(from, row, shownOf, system),
    });
    const curves = [
      curve("true", "exact", truth),
      ...made.map(({ title, style, continued }) => curve(title, style, continued)),
    ];
    const note = `${system.coordinates[shownOf]} of a held-out trajectory; models are told its first ${settings.given} states`;
    return chart(`Continuation ${row + 1}`, note, curves, { name: "time", whole: true });
  });
  const statistics = Array.from((await array("statistics", seed)).data);
  const fresh = (await array("fresh-statistics", seed)).data;
  const events = statistics.filter((value) => value > 0);
  const distance = histogramDistance(fresh, statistics, { range: spanOf(statistics), parts: PARTS });
  const histograms = [
    histogram(
      "The event's statistic",
      `${system.event.says}. Bars: true trajectories, of which ${percent(shareAboveZero(statistics).value)} have it; lines: generated. ` +
        `As many true ones drawn anew have a total variation of ${brief(distance)} to the bars.`,
      statistics,
      spanOf(statistics),
      made.map(({ title, style, statistics: own }) => ({ title, style, values: own })),
    ),
    ...(events.length > 1
      ? [
          histogram(
            "Guided to the event",
            "Bars: true trajectories with the event; lines: guided samples, " +
              `${made.map(({ title, guided }) => `${percent(shareAboveZero(guided).value)} of ${title}'s`).join(", ")} with it`,
            events,
            spanOf([0, ...events]),
            made.map(({ title, style, guided }) => ({ title, style, values: guided })),
          ),
        ]
      : []),
  ];
  const points = plane ? [] : [pointsOf(system, truth, made)];
  return (
    (plane ? `<div class="row small-multiples">${planes.join("")}</div>` : "") +
    `<div class="row charts">${[...points, ...histograms, ...followed].join("")}</div>`
  );
}

const percent = (share: number) => `${brief(100 * share)} %`;

/** The points of all trajectories, true and generated, where they are of one coordinate. */
function pointsOf(
  { coordinates }: TrajectorySystem,
  truth: Trajectories,
  made: readonly (Omit<Histogram, "values"> & { readonly samples: Trajectories })[],
): string {
  const values = columnOf(truth, 0);
  const models = made.map(({ title, style, samples }) => ({ title, style, values: columnOf(samples, 0) }));
  const note = "of all trajectories. Bars: true; lines: generated";
  return histogram("Points", note, [...values], spanOf(values), models, coordinates[0]);
}

interface Histogram {
  readonly title: string;
  readonly style: string;
  readonly values: ArrayLike<number>;
}

function histogram(
  title: string,
  note: string,
  truth: readonly number[],
  span: Range,
  models: readonly Histogram[],
  name = "C",
): string {
  const range = roomy(span);
  const lines = models.map(({ style, values }) => ({ style, points: outline(values, range, PARTS) }));
  const picture = distributionChart({ name, range, values: Float64Array.from(truth), lines });
  return figureOf(title, note, [{ title: "true", style: "data" }, ...models], picture);
}

function columnOf({ values, coordinates }: Trajectories, coordinate: number): Float64Array {
  return Float64Array.from(
    { length: values.length / coordinates },
    (_, i) => values[i * coordinates + coordinate] as number,
  );
}

/** A little wider, so that lines end inside. */
function roomy({ low, high }: Range): Range {
  const room = 0.05 * (high - low);
  return { low: low - room, high: high + room };
}

function curveOf(
  from: Trajectories,
  row: number,
  shown: number,
  { timeStep, coordinates }: TrajectorySystem,
): Curve["points"] {
  const states = trajectoryOf(from, row);
  return Array.from(
    { length: from.length },
    (_, step) => [step * timeStep, states[step * coordinates.length + shown] as number] as const,
  );
}

const [WIDTH, HEIGHT] = [300, 240];
const MARGIN = { left: 34, right: 8, top: 8, bottom: 38 };

/** Trajectories as lines in the plane of two of their coordinates; what leaves the span is cut off. */
function planeOf(
  { coordinates }: TrajectorySystem,
  plane: readonly [number, number],
  trajectories: Trajectories,
  [across, up]: readonly [Range, Range],
  style: string,
  title: string,
): string {
  const [right, bottom] = [WIDTH - MARGIN.right, HEIGHT - MARGIN.bottom];
  const x = (value: number) =>
    MARGIN.left + ((value - across.low) / (across.high - across.low)) * (right - MARGIN.left);
  const y = (value: number) => bottom - ((value - up.low) / (up.high - up.low)) * (bottom - MARGIN.top);
  const count = Math.min(DRAWN, trajectories.values.length / (trajectories.length * trajectories.coordinates));
  const paths = Array.from({ length: count }, (_, row) => {
    const states = trajectoryOf(trajectories, row);
    const points = Array.from({ length: trajectories.length }, (_, step) => {
      const at = (coordinate: number) => states[step * coordinates.length + coordinate] as number;
      return `${x(at(plane[0])).toFixed(1)} ${y(at(plane[1])).toFixed(1)}`;
    });
    return `<path d="M${points.join("L")}" class="curve thin ${style}" style="stroke-width: 1.5; opacity: 1"/>`;
  });
  const [nameAcross, nameUp] = plane.map((coordinate) => escapeHtml(coordinates[coordinate] as string));
  const below = marks(across.low, across.high, 4).map(
    (mark) => `<text x="${x(mark).toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${markText(mark)}</text>`,
  );
  const beside = marks(up.low, up.high, 4).map(
    (mark) => `<text x="${MARGIN.left - 6}" y="${(y(mark) + 4).toFixed(1)}" text-anchor="end">${markText(mark)}</text>`,
  );
  const clip = `plane-${title.replace(/\W+/g, "-").toLowerCase()}`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" class="small" aria-label="${escapeHtml(`${title}: trajectories, ${coordinates[plane[1]]} against ${coordinates[plane[0]]}`)}">
<clipPath id="${clip}"><rect x="${MARGIN.left}" y="${MARGIN.top}" width="${right - MARGIN.left}" height="${bottom - MARGIN.top}"/></clipPath>
<line x1="${MARGIN.left}" x2="${right}" y1="${bottom}" y2="${bottom}" class="grid"/><line x1="${MARGIN.left}" x2="${MARGIN.left}" y1="${MARGIN.top}" y2="${bottom}" class="grid"/>
<g clip-path="url(#${clip})" opacity="0.7">${paths.join("")}</g>${below.join("")}${beside.join("")}
<text x="${(MARGIN.left + right) / 2}" y="${HEIGHT - 4}" text-anchor="middle">${nameAcross}</text>
<text x="${MARGIN.left + 4}" y="${MARGIN.top + 10}">${nameUp}</text></svg>`;
}
