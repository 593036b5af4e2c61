/** A run that a link brought: its settings in the page's controls. */
import type { DataChoice } from "../messages.ts";
import { runOf } from "../share/link.ts";
import type { SharedRun } from "../share/run.ts";
import { showSettings, weights } from "./controls.ts";
import { element } from "./elements.ts";

/**
 * Shows what the hash of an address says; where that is nothing, nothing is changed.
 *
 * @returns whether it was a run, and what the visitor should know.
 */
export function openLink(hash: string, show: (choice: DataChoice) => void): { isShared: boolean; message?: string } {
  const { run, isShared, message } = runOf(hash);
  if (!isShared) return message === undefined ? { isShared } : { isShared, message };
  const missing = notOffered(run);
  if (missing) return { isShared: false, message: `This link asks for ${missing}, which this page does not offer.` };
  show(run.data);
  showSettings(run);
  const { solver, steps, tolerance } = run.sampler;
  for (const [id, value] of samplerValues(solver, steps, tolerance)) element<HTMLSelectElement>(id).value = value;
  return { isShared };
}

const samplerValues = (solver: string, steps: number, tolerance: number) =>
  [
    ["solver", solver],
    ["solver-steps", String(steps)],
    [
      "tolerance",
      [...element<HTMLSelectElement>("tolerance").options].find(({ value }) => Number(value) === tolerance)?.value ??
        "",
    ],
  ] as const;

/** What of a run no control can show. */
function notOffered({ width, layers, weights: own, sampler }: SharedRun): string | undefined {
  const offers = (id: string, wanted: number) =>
    [...element<HTMLSelectElement>(id).options].some(({ value }) => Number(value) === wanted);
  if (!offers("width", width)) return `layers ${width} wide`;
  if (!offers("layers", layers)) return `${layers} layers`;
  const odd = [own.left, own.right].find((weight) => !weights.some((one) => one === weight));
  if (odd !== undefined) return `a divergence weight of ${odd}`;
  if (!offers("solver-steps", sampler.steps)) return `${sampler.steps} solver steps`;
  return offers("tolerance", sampler.tolerance) ? undefined : `a tolerance of ${sampler.tolerance}`;
}
