/** The run of both models as the page knows it: its settings, what is shown of it, and what Undo brings back. */
import { type FromWorker, type Settings, type Side, sides, type ToWorker } from "../messages.ts";
import { emptyShown, type Shown } from "./shown.ts";

export interface Run {
  readonly settings: Settings;
  readonly shown: Record<Side, Shown>;
}

export const isTrained = (shown: Readonly<Record<Side, Shown>>): boolean => sides.some((side) => shown[side].step > 0);

/** Of settings; tables are not compared, but never the same as a named set. */
export function isSameRun(a: Settings | undefined, b: Settings): boolean {
  const isTable = [a, b].some((one) => one?.data.kind === "table");
  return !isTable && JSON.stringify(a) === JSON.stringify(b);
}

export class Runs {
  /** The number of what was begun last; news of an earlier one are of models that were thrown away. */
  attempt = 0;
  settings: Settings | undefined;
  shown: Record<Side, Shown> = { left: emptyShown(), right: emptyShown() };
  /** What Undo brings back. */
  before: Run | undefined;
  /** Whether models that are being made train at once. */
  goesOn = false;
  /** As things were before the last `prepare`: where it is refused they are so again. */
  #last: (Run & { readonly before: Run | undefined }) | undefined;
  readonly #begun: (message: ToWorker & { readonly attempt: number }) => void;
  readonly #back: (settings: Settings) => void;

  /** @param begun - to be sent. @param back - an earlier run's settings, to be shown. */
  constructor({
    begun,
    back,
  }: {
    begun: (message: ToWorker & { readonly attempt: number }) => void;
    back: (settings: Settings) => void;
  }) {
    this.#begun = begun;
    this.#back = back;
  }

  /** Makes both models anew; what was trained can be had back. */
  prepare(settings: Settings): void {
    const now = this.#now();
    this.#last = now && { ...now, before: this.before };
    if (now && isTrained(now.shown)) this.before = now;
    this.settings = settings;
    this.#begin({ kind: "prepare", attempt: this.attempt + 1, settings });
  }

  undo(): void {
    const [now, back] = [this.#now(), this.before];
    if (!back || !now) return;
    this.before = isTrained(now.shown) ? now : undefined;
    this.#begin({ kind: "undo", attempt: this.attempt + 1 });
    this.#goBackTo(back);
  }

  /** A run of the visit before. */
  goOnWith({ settings, shown }: Run, before: Run | undefined): void {
    this.before = before;
    this.#begin({ kind: "prepare", attempt: this.attempt + 1, settings, isKept: true });
    this.#goBackTo({ settings, shown });
  }

  /** The same models with smaller batches. */
  shrink(batchSize: number): void {
    const now = this.#now();
    if (!now) return;
    this.#begin({ kind: "shrink", attempt: this.attempt + 1, batchSize });
    this.#goBackTo({ ...now, settings: { ...now.settings, batchSize } });
  }

  /** The models are made. */
  ready({ steps, canUndo }: FromWorker & { kind: "ready" }): void {
    if (!canUndo) this.before = undefined;
    for (const side of sides) {
      if (steps[side] === 0) this.shown[side] = emptyShown();
      this.shown[side].step = steps[side];
    }
  }

  /** What was to be prepared cannot be: all is as before. */
  refused(): void {
    const last = this.#last;
    if (!last) return;
    this.before = last.before;
    this.#goBackTo(last);
  }

  #now(): Run | undefined {
    return this.settings && { settings: this.settings, shown: this.shown };
  }

  #begin(message: ToWorker & { readonly attempt: number }): void {
    this.attempt = message.attempt;
    this.goesOn = false;
    this.#begun(message);
  }

  #goBackTo({ settings, shown }: Run): void {
    this.settings = settings;
    this.shown = shown;
    this.#back(settings);
  }
}
