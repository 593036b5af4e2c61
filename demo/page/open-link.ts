/** A run that a link brought: its settings in the page's controls. */
import type { DataChoice } from "../messages.ts";
import { runOf } from "../share/link.ts";
import type { SharedRun, SharedSampler } from "../share/run.ts";
import { showTold } from "./classes.ts";
import { showSettings, weights } from "./controls.ts";
import { element } from "./elements.ts";
import { showView } from "./view.ts";

/**
 * Shows what the hash of an address says; where that is nothing, nothing is changed.
 *
 * @returns whether it was a run, and what the visitor should know.
 */
export function openLink(hash: string, show: (choice: DataChoice) => void): { isShared: boolean; message?: string } {
  const { run, isShared, message } = runOf(hash);
  if (!isShared) return message === undefined ? { isShared } : { isShared, message };
  const missing = showRun(run, show);
  if (missing) return { isShared: false, message: `This link asks for ${missing}, which this page does not offer.` };
  return { isShared };
}

/** Shows a run in the controls, or gives what of it none can show: then nothing is changed. */
export function showRun(run: SharedRun, show: (choice: DataChoice) => void): string | undefined {
  const missing = notOffered(run);
  if (missing) return missing;
  show(run.data);
  showSettings(run);
  showSampler(run.sampler);
  if (run.view) showView(run.view);
  return undefined;
}

export function showSampler({ solver, steps, tolerance, ...told }: SharedSampler): void {
  showTold(told);
  const tolerances = [...element<HTMLSelectElement>("tolerance").options];
  const values = {
    solver,
    "solver-steps": String(steps),
    tolerance: tolerances.find(({ value }) => Number(value) === tolerance)?.value ?? "",
  };
  for (const [id, value] of Object.entries(values)) element<HTMLSelectElement>(id).value = value;
}

/** What of a run no control can show. */
export function notOffered({ width, layers, weights: own, sampler }: Omit<SharedRun, "data">): string | undefined {
  const offers = (id: string, wanted: number) =>
    [...element<HTMLSelectElement>(id).options].some(({ value }) => Number(value) === wanted);
  if (!offers("width", width)) return `layers ${width} wide`;
  if (!offers("layers", layers)) return `${layers} layers`;
  const odd = [own.left, own.right].find((weight) => !weights.some((one) => one === weight));
  if (odd !== undefined) return `a divergence weight of ${odd}`;
  if (!offers("solver-steps", sampler.steps)) return `${sampler.steps} solver steps`;
  return offers("tolerance", sampler.tolerance) ? undefined : `a tolerance of ${sampler.tolerance}`;
}
