/** The one-step map: its samples in colours of their log-densities, and the consistency meter, in numbers and in words. */
import type { FromWorker, Mean, MeterRow } from "../messages.ts";
import { jumps as counts } from "../share/run.ts";
import { gradientOf, type Table, type Theme, tableOf } from "./colours.ts";
import { chosen, element } from "./elements.ts";
import { shortNumber } from "./words.ts";

type MapNews = FromWorker & { kind: "map" };

/** Of samples, in this order from the lowest log-density: those below are as pale as it. */
const PALEST = 0.03;
/** Where in the scale of densities the palest is: at its foot nothing could be seen. */
const FOOT = 0.22;

/** Evaluations that samples are wanted in; undefined where no map is wanted. */
export function wantedJumps(): (typeof counts)[number] | undefined {
  if (!element<HTMLInputElement>("one-step").checked) return undefined;
  return counts.find((count) => String(count) === chosen("jumps")) ?? 1;
}

export function showJumps(jumps: number | undefined): void {
  element<HTMLInputElement>("one-step").checked = jumps !== undefined;
  element("one-step-parts").hidden = jumps === undefined;
  if (jumps === undefined) return;
  for (const radio of element("jumps").querySelectorAll("input")) radio.checked = radio.value === String(jumps);
}

export class OneStepFigure {
  #map: MapNews | undefined;
  #rows = new Map<number, MeterRow>();
  readonly #theme: () => { theme: Theme; extent: number };

  constructor({ theme, look }: { theme: () => { theme: Theme; extent: number }; look: () => void }) {
    this.#theme = theme;
    element("one-step").addEventListener("change", () => {
      showJumps(wantedJumps());
      look();
    });
    element("jumps").addEventListener("change", look);
    addEventListener("resize", () => this.draw());
    this.clear();
  }

  /** The models are others. */
  clear(): void {
    this.#map = undefined;
    this.#rows.clear();
    this.#write();
    this.draw();
  }

  take(message: MapNews | (FromWorker & { kind: "meter" })): void {
    if (message.kind === "map") this.#map = message;
    else this.#rows.set(message.row.jumps, message.row);
    this.#write();
    if (message.kind === "map") this.draw();
  }

  draw(): void {
    const canvas = element<HTMLCanvasElement>("jump-canvas");
    const context = canvas.getContext("2d");
    const size = Math.round(canvas.clientWidth * devicePixelRatio);
    if (!context || size === 0) return;
    [canvas.width, canvas.height] = [size, size];
    const map = this.#map;
    element("jump-legend").hidden = !map;
    if (!map) return;
    const { theme, extent } = this.#theme();
    const table = upperPart(tableOf("density", theme));
    const [low, high] = rangeOf(map.logDensity);
    const radius = 1.7 * devicePixelRatio;
    for (let i = 0; i < map.logDensity.length; i++) {
      const level = levelOf(map.logDensity[i] as number, [low, high], table.length / 3);
      context.fillStyle = `rgb(${table[3 * level]} ${table[3 * level + 1]} ${table[3 * level + 2]})`;
      context.beginPath();
      const at = (value: number) => (value / (2 * extent)) * size;
      context.arc(size / 2 + at(map.samples[2 * i]!), size / 2 - at(map.samples[2 * i + 1]!), radius, 0, 2 * Math.PI);
      context.fill();
    }
    element("jump-bar").style.background = gradientOf(table);
    element("jump-low").textContent = shortNumber(low);
    element("jump-high").textContent = `${shortNumber(high)} nats`;
  }

  #write(): void {
    const map = this.#map;
    const row = map && this.#rows.get(map.jumps);
    element("jump-note").textContent = map
      ? `${evaluations(map.jumps)} a sample; ${map.steps.toLocaleString("en")} steps, taught by the right model at step ${map.teacherStep.toLocaleString("en")}`
      : "Not trained yet: it is taught by the right model, once that has learned something.";
    element("jump-canvas").setAttribute(
      "aria-label",
      map ? `Samples of the map in ${evaluations(map.jumps)}, coloured by log-density.` : "No samples of the map yet.",
    );
    element("meter-words").textContent = row ? meterWords(row) : "";
    element("meter").replaceChildren(
      ...counts.map((count) => {
        const line = document.createElement("tr");
        const head = document.createElement("th");
        head.scope = "row";
        head.textContent = String(count);
        line.append(
          head,
          ...cellsOf(this.#rows.get(count)).map((text) =>
            Object.assign(document.createElement("td"), { textContent: text }),
          ),
        );
        return line;
      }),
    );
  }
}

const evaluations = (count: number) => `${count} evaluation${count === 1 ? "" : "s"}`;

/** The part of a scale of colours that is seen on the page's own, over as many levels. */
function upperPart(table: Table): Table {
  const last = table.length / 3 - 1;
  return table.map((_, i) => table[3 * Math.round(last * (FOOT + ((1 - FOOT) * Math.floor(i / 3)) / last)) + (i % 3)]!);
}

/** From a low quantile to the highest. */
export function rangeOf(logDensity: Float32Array): [low: number, high: number] {
  const sorted = logDensity.filter(Number.isFinite).sort();
  return [sorted[Math.floor(PALEST * sorted.length)] ?? 0, sorted.at(-1) ?? 0];
}

/** Linear in the log-density; of equal ones the highest. */
export function levelOf(value: number, [low, high]: readonly [number, number], levels: number): number {
  const part = high > low ? (value - low) / (high - low) : 1;
  return Math.round((levels - 1) * Math.min(1, Math.max(0, part || 0)));
}

/** To a hundredth; errors are rounded up. */
const nats = ({ mean, standardError }: Mean) =>
  `${mean.toFixed(2)} ± ${(Math.ceil(100 * standardError) / 100).toFixed(2)}`;

export function cellsOf(row: MeterRow | undefined): string[] {
  if (!row) return ["–", "–", "–"];
  return [nats(row.headFromExact), nats(row.exactFromFlow), row.flowFromClosed ? nats(row.flowFromClosed) : "–"];
}

export function meterWords({ jumps, headFromExact, exactFromFlow, flowFromClosed, folded }: MeterRow): string {
  const words = [
    `In ${evaluations(jumps)}, the log-density that comes with a sample is off by ${headFromExact.mean.toFixed(2)} nats from the exact one of the map's own steps, and that by ${exactFromFlow.mean.toFixed(2)} from the one that the ODE of the right model gives.`,
  ];
  if (flowFromClosed) {
    const outside =
      flowFromClosed.share < 1 ? `, where the data have any (${percent(flowFromClosed.share)} of samples)` : "";
    words.push(`The ODE's is off by ${flowFromClosed.mean.toFixed(2)} from the data's own${outside}.`);
  }
  if (folded > 0) words.push(`At ${percent(folded)} of samples the map folds: they have no exact log-density.`);
  return words.join(" ");
}

const percent = (share: number) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
