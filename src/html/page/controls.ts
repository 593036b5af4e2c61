/** The form: how many samples, by which solver, told what, where; and what it asks the engine for. */
import type { PageFacts } from "../facts.ts";
import { element, field, numberInput, select } from "./elements.ts";
import type { BackendChoice, SampleRequest } from "./messages.ts";
import { type ToldControl, toldControls, toldOf } from "./told.ts";

/** Evaluations of the network in a step. */
const evaluations: Readonly<Record<string, number>> = { euler: 1, midpoint: 2, heun: 2, rk4: 4, "flow-map": 1 };
const ADAPTIVE = "dopri5";
/** Numbers of all samples together: more, and a page has no room for them. */
const MOST_NUMBERS = 2e7;
/** A solver of fixed steps by which large samples are begun with: a page should show something soon. */
const LARGE_SAMPLE = 64;

export interface Controls {
  readonly backend: HTMLSelectElement;
  readonly told: readonly ToldControl[];
  readonly stop: HTMLButtonElement;
  readonly downloads: readonly HTMLButtonElement[];
  readonly progress: HTMLProgressElement;
  readonly status: HTMLElement;
  /** Where it runs, and why there. */
  readonly reason: HTMLElement;
  request(): SampleRequest;
  /** The seed after this one. */
  nextSeed(): void;
}

/** Fills the form; `download` is called with the kind of file that is wanted. */
export function buildControls(form: HTMLElement, facts: PageFacts, download: (kind: string) => void): Controls {
  const { shape, conditions, isFlowMap } = facts;
  const dimension = shape.reduce((product, size) => product * size, 1);
  const isPoint = shape.length === 1;
  const count = numberInput("count", isPoint ? (dimension <= 2 ? 2000 : 256) : 16, {
    min: 1,
    max: Math.max(1, Math.min(1e6, Math.floor(MOST_NUMBERS / dimension))),
  });
  const seed = numberInput("seed", 0, { min: 0, max: Number.MAX_SAFE_INTEGER });
  const solver = select("solver", [
    ...(isFlowMap ? [["flow-map", "flow map: few steps"] as const] : []),
    [ADAPTIVE, "dopri5: adaptive, 5th order"],
    ["rk4", "rk4: 4th order"],
    ["heun", "heun: 2nd order"],
    ["midpoint", "midpoint: 2nd order"],
    ["euler", "euler: 1st order"],
  ]);
  if (!isFlowMap && dimension > LARGE_SAMPLE) solver.value = "heun";
  const steps = numberInput("steps", isFlowMap ? 1 : 20, { min: 1, max: 1000 });
  const tolerance = select("tolerance", [
    ["1e-5", "0.00001"],
    ["1e-3", "0.001"],
    ["1e-4", "0.0001"],
    ["1e-6", "0.000001"],
  ]);
  const told = toldControls(conditions);
  const guided = Object.values(conditions).some(({ optional }) => optional);
  const guidance = element("input", { name: "guidance", type: "range", min: "0", max: "8", step: "0.1" });
  guidance.defaultValue = "1";
  const strength = element("output", {}, "1");
  const hint = element("p", { className: "hint" });
  const backend = select("backend", [
    ["auto", "a GPU, or else WebAssembly"],
    ["wasm", "WebAssembly"],
    ["webgpu", "WebGPU"],
  ]);
  const another = element("button", { type: "button", id: "another" }, "New seed");
  const stop = element("button", { type: "button", id: "stop", disabled: true }, "Stop");
  const reason = element("p", { className: "hint wide" });
  const downloads = (["CSV", "npy", "model"] as const).map((kind) => {
    const words = kind === "model" ? "The model as a safetensors file" : `Samples as ${kind}`;
    const button = element("button", { type: "button", title: words, disabled: kind !== "model" }, kind);
    button.setAttribute("aria-label", words);
    button.addEventListener("click", () => download(kind));
    return button;
  });
  const progress = element("progress", { max: 1, value: 0, className: "idle" });
  progress.setAttribute("aria-label", "Sampling");
  const status = element("p", { id: "status" });
  status.setAttribute("role", "status");
  const [stepsField, toleranceField] = [field("Steps", steps), field("Tolerance", tolerance)];
  const guidanceField = field("Guidance ", guidance, true);
  guidanceField.insertBefore(element("span", {}, "Guidance ", strength), guidance);
  guidanceField.firstChild?.remove();
  form.append(
    element("button", { type: "submit", className: "primary wide" }, "Draw samples"),
    ...[another, stop, progress, status],
    field("Samples", count),
    field("Seed", seed),
    ...told.map(({ controls }) => controls),
    ...(guided ? [guidanceField] : []),
    ...[field("Solver", solver, true), stepsField, toleranceField, hint],
    ...[field("Runs on", backend, true), reason],
    element("h2", {}, "Take it with you"),
    element("div", { className: "wide three" }, ...downloads),
  );

  const showHint = () => {
    const isAdaptive = solver.value === ADAPTIVE;
    stepsField.hidden = isAdaptive;
    toleranceField.hidden = !isAdaptive;
    steps.disabled = isAdaptive; // what is hidden is not checked
    const twice = guided && Number(guidance.value) !== 1 ? 2 : 1;
    const calls = (evaluations[solver.value] ?? 1) * Number(steps.value) * twice;
    hint.textContent = isAdaptive
      ? "It chooses its steps by the error that each makes."
      : `${calls.toLocaleString("en")} ${calls === 1 ? "evaluation" : "evaluations"} of the network for each sample.`;
    strength.textContent = guidance.value;
  };
  form.addEventListener("input", showHint);
  showHint();

  return {
    ...{ backend, told, stop, downloads, progress, status, reason },
    request: () => ({
      count: Number(count.value),
      seed: Number(seed.value),
      solver: { name: solver.value, steps: Number(steps.value), tolerance: Number(tolerance.value) },
      conditions: toldOf(told, Number(count.value)),
      guidance: guided ? Number(guidance.value) : undefined,
    }),
    nextSeed() {
      seed.value = String(Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Number(seed.value)) + 1));
    },
  };
}

export const backendOf = (choice: HTMLSelectElement): BackendChoice => choice.value as BackendChoice;
