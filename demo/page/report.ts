/** Everything that is said in words and numbers about the state and both models, on the page and to screen readers. */
import { type MapKind, type Side, sides } from "../messages.ts";
import { atEqualSeconds, atEqualSteps, standingWords } from "./ahead.ts";
import { element } from "./elements.ts";
import type { Shown } from "./shown.ts";
import { better, figure, measures, shortNumber, summary } from "./words.ts";

export type State = "preparing" | "ready" | "running" | "pausing" | "failed";

export interface Reported {
  readonly state: State;
  /** Where it runs and why; of a failure: what went wrong. */
  readonly reason: string;
  /** What cannot be done; empty: all can. */
  readonly refusal: string;
  /** Whether the GPU was lost, and training goes on elsewhere. */
  readonly hasMoved: boolean;
  readonly shown: Readonly<Record<Side, Shown>>;
  /** Of the tour's formulas, while these are shown. */
  readonly staged: Readonly<Record<Side, Shown>> | undefined;
  readonly isPinned: boolean;
  readonly titles: Readonly<Record<Side, string>>;
  readonly modelTitles: Readonly<Record<Side, string>>;
  readonly t: number;
  readonly map: MapKind;
}

/** Changes of state are seen at once; the figures beside them change twice a second, or nobody could read them. */
const FIGURES_EVERY_MILLISECONDS = 500;
/** The pictures' names for screen readers change no more often than what is announced. */
const DESCRIBED_EVERY_MILLISECONDS = 5000;

export class Report {
  #told = { state: "", at: 0, isWaiting: false };
  #describedAt = Number.NEGATIVE_INFINITY;
  readonly #reported: () => Reported;

  constructor(reported: () => Reported) {
    this.#reported = reported;
  }

  tell(): void {
    const { state } = this.#reported();
    const wait = this.#told.at + FIGURES_EVERY_MILLISECONDS - performance.now();
    if (this.#told.state === state && wait > 0) {
      if (!this.#told.isWaiting) setTimeout(() => this.tell(), wait + 1);
      this.#told.isWaiting = true;
      return;
    }
    this.#told = { state, at: performance.now(), isWaiting: false };
    this.#write(this.#reported());
  }

  /** What screen readers are told. */
  announcement(): string {
    const { state, reason, refusal, shown, modelTitles } = this.#reported();
    if (refusal !== "") return refusal;
    const { steps } = standings(shown);
    const ahead = steps ? ` At equal steps ${standingWords(steps, modelTitles)}.` : "";
    const step = Math.max(shown.left.step, shown.right.step);
    const said = {
      preparing: "Preparing.",
      ready: step > 0 ? `Paused at step ${step}.${ahead}` : `Ready. ${reason}`,
      running: `Training.${shown.right.judged.length > 0 ? ` Step ${step}.${ahead}` : ""}`,
      pausing: "Pausing.",
      failed: reason,
    };
    return said[state];
  }

  #write(reported: Reported): void {
    const { state, refusal, shown, staged, titles, modelTitles } = reported;
    const status = element("status");
    status.textContent = statusWords(reported);
    status.classList.toggle("error", state === "failed" || refusal !== "");
    for (const side of sides) {
      element(`${side}-title`).textContent = titles[side];
      element(`${side}-head`).textContent = modelTitles[side];
      element(`${side}-note`).textContent = staged ? formulaNote(staged[side]) : noteOf(shown[side]);
    }
    writeFigures(shown);
    writeStandings(shown, modelTitles);
    const evaluations = shown.right.frames?.evaluations;
    element("evaluations").textContent =
      evaluations === undefined
        ? "The solver chooses its steps: as many evaluations of the network as the tolerance asks for."
        : `${evaluations} evaluation${evaluations === 1 ? "" : "s"} of the network for each sample.`;
    this.#describe(reported);
  }

  #describe({ state, shown, staged, titles, t, map }: Reported): void {
    if (performance.now() - this.#describedAt < DESCRIBED_EVERY_MILLISECONDS && state === "running") return;
    this.#describedAt = performance.now();
    for (const side of sides) {
      const { step, slice, judged } = (staged ?? shown)[side];
      const facts = { step, t, map: map === "none" ? "particles" : map.replace("-", " "), error: slice?.error };
      element(side).setAttribute("aria-label", summary(titles[side], { ...facts, judged: judged.at(-1) }));
    }
  }
}

/** "WebGPU" or "WebAssembly": how a reason begins. */
const shortReason = (reason: string) => /^\w+/.exec(reason)?.[0] ?? reason;

function statusWords({ state, reason, refusal, hasMoved, shown, isPinned, modelTitles }: Reported): string {
  if (refusal !== "") return refusal;
  if (state === "preparing") return "Preparing …";
  if (state === "failed") return reason;
  const speed = sides
    .filter((side) => shown[side].millisecondsPerStep > 0 && !(side === "left" && isPinned))
    .map((side) => `${modelTitles[side]}: ${shown[side].millisecondsPerStep.toFixed(1)} ms a step`);
  // Why it runs where it runs is read once; then it stands under "This device".
  return [speed.length > 0 && !hasMoved ? shortReason(reason) : reason, ...speed].join(" · ");
}

function formulaNote({ slice }: Shown): string {
  return slice?.error === undefined ? "a formula" : `a formula, error shown ${shortNumber(slice.error)}`;
}

function noteOf({ step, slice, judged }: Shown): string {
  if (step === 0) return "not trained yet";
  const error = slice?.error === undefined ? "" : `, error shown ${shortNumber(slice.error)}`;
  const distance = judged.at(-1)?.distance;
  const misplaced = distance === undefined ? "" : `, ${Math.round(100 * distance)} % misplaced`;
  return `step ${step.toLocaleString("en")}${error || misplaced}`;
}

function writeFigures(shown: Reported["shown"]): void {
  const [left, right] = [shown.left.judged.at(-1), shown.right.judged.at(-1)];
  element("figures").replaceChildren(
    ...measures.map((measure) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = measure.unit ? `${measure.name}, ${measure.unit}` : measure.name;
      head.title = measure.means;
      const best = better(measure, left, right);
      const cells = sides.map((side) => {
        const cell = document.createElement("td");
        cell.textContent = figure(measure, side === "left" ? left : right);
        if (best === side) cell.className = "better";
        return cell;
      });
      row.append(head, ...cells);
      return row;
    }),
  );
}

function standings(shown: Reported["shown"]) {
  const histories = { left: shown.left.judged, right: shown.right.judged };
  return { steps: atEqualSteps(histories), seconds: atEqualSeconds(histories) };
}

function writeStandings(shown: Reported["shown"], titles: Reported["modelTitles"]): void {
  const { steps, seconds } = standings(shown);
  const nothing = "not known yet";
  // Between the two messages of one round the models are at different steps: the last words stay.
  if (steps || shown.right.judged.length === 0) {
    const at = steps ? ` (${steps.step.toLocaleString("en")} steps each)` : "";
    element("equal-steps").textContent = steps ? standingWords(steps, titles) + at : nothing;
  }
  const after = seconds ? ` (${seconds.seconds.toFixed(1)} s of training each)` : "";
  element("equal-seconds").textContent = seconds ? standingWords(seconds, titles) + after : nothing;
}
