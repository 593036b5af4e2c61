/** What is said of figures, in words and numbers. */
import type { Judged, Side } from "../messages.ts";

/** Three digits, without a tail of zeros. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size < 1e-6) return "0";
  if (size < 1e-3 || size >= 1e5) return value.toExponential(1).replace("-", "−").replace("e+", "e");
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

export interface Measure {
  readonly name: string;
  readonly unit: string;
  /** What it means, in a sentence. */
  readonly means: string;
  value(judged: Judged): number | undefined;
  error?(judged: Judged): number | undefined;
}

/** What the table below the pictures lists, in this order; less is better in all of them. */
export const measures: readonly Measure[] = [
  {
    ...{ name: "Total variation", unit: "0 to 1", means: "Share of mass that lies in the wrong place, on a grid." },
    value: ({ distance }) => distance,
  },
  {
    ...{
      name: "its bound",
      unit: "",
      means: "Half the mean of |r| over the way, t up to 0.98: total variation is not above it.",
    },
    value: ({ bound }) => bound,
    error: ({ boundError }) => boundError,
  },
  {
    ...{ name: "Negative log-likelihood", unit: "nats", means: "Mean over points held out." },
    value: ({ likelihood }) => likelihood,
    error: ({ likelihoodError }) => likelihoodError,
  },
  {
    ...{ name: "Velocity error", unit: "per time", means: "Root mean square of learned less true velocity." },
    value: ({ velocityError }) => velocityError,
  },
  {
    ...{ name: "Divergence error", unit: "", means: "Root mean square of (1 − t) times learned less true divergence." },
    value: ({ divergenceError }) => divergenceError,
  },
  {
    ...{ name: "Sliced Wasserstein", unit: "", means: "How far mass would have to be moved, in units of the data." },
    value: ({ wasserstein }) => wasserstein,
  },
];

/** "0.213", or "0.213 ± 0.004". */
export function figure({ value, error }: Measure, judged: Judged | undefined): string {
  const found = judged && value(judged);
  if (found === undefined) return "–";
  const off = judged && error?.(judged);
  if (off === undefined) return found.toFixed(3).replace("-", "−");
  return `${found.toFixed(3).replace("-", "−")} ± ${off.toFixed(3)}`;
}

/** What a picture shows, for whoever does not see it. */
export function summary(
  title: string,
  {
    step,
    t,
    map,
    error,
    judged,
  }: { step: number; t: number; map: string; error: number | undefined; judged: Judged | undefined },
): string {
  const trained = step === 0 ? "not trained yet" : `after ${step.toLocaleString("en")} steps`;
  const numbers = [
    ...(error === undefined ? [] : [`size of the error shown ${shortNumber(error)}`]),
    ...(judged?.distance === undefined ? [] : [`total variation ${shortNumber(judged.distance)}`]),
    ...(judged ? [`negative log-likelihood ${shortNumber(judged.likelihood)} nats`] : []),
  ];
  return `${title}, ${trained}: ${map} at time ${t.toFixed(2)}${numbers.length > 0 ? `; ${numbers.join(", ")}` : ""}.`;
}

/** The pair's better one by a measure, where the difference is beyond two standard errors. */
export function better(measure: Measure, left: Judged | undefined, right: Judged | undefined): Side | undefined {
  const [a, b] = [left && measure.value(left), right && measure.value(right)];
  if (!left || !right || a === undefined || b === undefined || left.step !== right.step) return undefined;
  const error = 2 * Math.hypot(measure.error?.(left) ?? 0, measure.error?.(right) ?? 0);
  const margin = Math.max(error, 0.02 * Math.max(Math.abs(a), Math.abs(b)));
  if (Math.abs(a - b) <= margin) return undefined;
  return a < b ? "left" : "right";
}
