/** The curves: each a figure with its unit, a legend, and a table of its numbers. */
import { type Judged, type Side, sides } from "../messages.ts";
import { drawChart, type Line } from "./chart.ts";
import type { Theme } from "./colours.ts";
import { element } from "./elements.ts";
import type { Shown } from "./shown.ts";
import { shortNumber } from "./words.ts";

export type Axis = "step" | "seconds";

interface Point {
  readonly step: number;
  readonly seconds: number;
  readonly value: number;
  readonly error?: number | undefined;
}

interface Curve {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly logarithmic: boolean;
  points(shown: Shown): readonly Point[];
  /** Beside it, dashed. */
  readonly beside?: { readonly name: string; points(shown: Shown): readonly Point[] };
}

function of(take: (judged: Judged) => number | undefined, error?: (judged: Judged) => number | undefined) {
  return ({ judged }: Shown): Point[] =>
    judged.flatMap((one) => {
      const value = take(one);
      return value === undefined ? [] : [{ step: one.step, seconds: one.seconds, value, error: error?.(one) }];
    });
}

const curves: readonly Curve[] = [
  {
    id: "velocity-loss",
    title: "Velocity loss",
    note: "(data units per time)², mean over some hundred steps",
    logarithmic: true,
    points: ({ losses }) => losses,
  },
  {
    id: "divergence-error",
    title: "Divergence error",
    note: "root mean square of (1 − t) times learned less true",
    logarithmic: true,
    points: of(({ divergenceError }) => divergenceError),
  },
  {
    id: "likelihood",
    title: "Negative log-likelihood, held out",
    note: "nats; the band is two standard errors",
    logarithmic: false,
    points: of(
      ({ likelihood }) => likelihood,
      ({ likelihoodError }) => 2 * likelihoodError,
    ),
  },
  {
    id: "distance",
    title: "Total variation and its bound",
    note: "share of mass misplaced, 0 to 1; dashed: the bound",
    logarithmic: true,
    points: of(({ distance }) => distance),
    beside: { name: "bound", points: of(({ bound }) => bound) },
  },
  {
    id: "wasserstein",
    title: "Sliced Wasserstein distance",
    note: "data units, samples against points held out",
    logarithmic: true,
    points: of(({ wasserstein }) => wasserstein),
  },
];

const EVERY_MILLISECONDS = 400;

/** Rows of a curve's table at most: a screen's. */
const ROWS = 12;

export interface Curved {
  readonly shown: Readonly<Record<Side, Shown>>;
  readonly titles: Readonly<Record<Side, string>>;
  readonly axis: Axis;
  readonly theme: Theme;
  readonly entropy: number | undefined;
}

export class Curves {
  #isDrawing = false;
  #isDue = false;
  readonly #curved: () => Curved;

  constructor(curved: () => Curved) {
    this.#curved = curved;
    element("charts").replaceChildren(...curves.map(figureOf));
    element("charts").addEventListener("toggle", () => this.draw(), true);
    addEventListener("resize", () => this.draw());
  }

  /** One curve a frame, so that no frame waits for all; each at most twice a second. */
  draw(): void {
    if (this.#isDrawing) {
      this.#isDue = true;
      return;
    }
    this.#isDrawing = true;
    const next = (i: number) => {
      const curve = curves[i];
      if (curve) {
        show(curve, this.#curved());
        requestAnimationFrame(() => next(i + 1));
      } else {
        setTimeout(() => {
          const isDue = this.#isDue;
          this.#isDrawing = this.#isDue = false;
          if (isDue) this.draw();
        }, EVERY_MILLISECONDS);
      }
    };
    requestAnimationFrame(() => next(0));
  }
}

function figureOf({ id, title, note }: Curve): HTMLElement {
  const figure = document.createElement("figure");
  figure.className = "chart";
  figure.innerHTML = `<figcaption><strong></strong> <small></small></figcaption>
    <canvas id="${id}" role="img"></canvas>
    <details><summary>Table<span class="unseen"> of </span><span class="unseen name"></span></summary><div class="scroll" tabindex="0" role="region"><table>
      <thead><tr></tr></thead><tbody></tbody></table></div></details>`;
  const set = (selector: string, text: string) => {
    const found = figure.querySelector(selector);
    if (found) found.textContent = text;
  };
  set("strong", title);
  set("small", note);
  set(".name", title);
  figure.querySelector(".scroll")?.setAttribute("aria-label", `Table of ${title}`);
  return figure;
}

function show(curve: Curve, { shown, titles, axis, theme, entropy }: Curved): void {
  const canvas = element<HTMLCanvasElement>(curve.id);
  const line = (side: Side, points: readonly Point[], dashed: boolean): Line => ({
    ...{ colour: theme[side], dashed },
    points: points.map(({ value, error, [axis]: x }) => ({ x, y: value, error })),
  });
  const lines = sides.flatMap((side) => [
    line(side, curve.points(shown[side]), false),
    ...(curve.beside ? [line(side, curve.beside.points(shown[side]), true)] : []),
  ]);
  const floor =
    curve.id === "likelihood" && entropy !== undefined ? { y: entropy, name: "the data's own entropy" } : undefined;
  drawChart(canvas, { theme, lines, axis, logarithmic: curve.logarithmic, floor });
  const last = sides.map((side) => {
    const point = curve.points(shown[side]).at(-1);
    return point
      ? `${titles[side]} ${shortNumber(point.value)} at step ${point.step.toLocaleString("en")}`
      : `${titles[side]} not known yet`;
  });
  canvas.setAttribute("aria-label", `${curve.title} by ${axis}: ${last.join(", ")}`);
  const details = canvas.nextElementSibling as HTMLDetailsElement;
  if (details.open) fillTable(details, curve, { shown, titles });
}

/** Steps and values of both, some rows evenly over the run. */
function fillTable(details: HTMLElement, curve: Curve, { shown, titles }: Pick<Curved, "shown" | "titles">): void {
  const columns = sides.flatMap((side) => [
    { name: titles[side], points: curve.points(shown[side]) },
    ...(curve.beside
      ? [{ name: `${titles[side]}, ${curve.beside.name}`, points: curve.beside.points(shown[side]) }]
      : []),
  ]);
  const steps = [...new Set(columns.flatMap(({ points }) => points.map(({ step }) => step)))].sort((a, b) => a - b);
  const kept = steps.filter((_, i) => (steps.length - 1 - i) % Math.ceil(steps.length / ROWS) === 0);
  const row = (tag: "td" | "th", cells: readonly string[]) => {
    const line = document.createElement("tr");
    line.append(
      ...cells.map((text, i) => {
        const cell = document.createElement(tag === "th" || i === 0 ? "th" : "td");
        if (cell.tagName === "TH") cell.setAttribute("scope", tag === "th" ? "col" : "row");
        cell.textContent = text;
        return cell;
      }),
    );
    return line;
  };
  details.querySelector("thead")?.replaceChildren(row("th", ["step", ...columns.map(({ name }) => name)]));
  details.querySelector("tbody")?.replaceChildren(
    ...kept.map((step) =>
      row("td", [
        step.toLocaleString("en"),
        ...columns.map(({ points }) => {
          const point = points.find((one) => one.step === step);
          return point ? shortNumber(point.value) : "–";
        }),
      ]),
    ),
  );
}
