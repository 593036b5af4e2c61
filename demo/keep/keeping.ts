/** The page's side of keeping: when what there is is stored, and what a visit goes on with. */
import type { Side, ToWorker } from "../messages.ts";
import { samplerChosen } from "../page/controls.ts";
import { element } from "../page/elements.ts";
import { notOffered } from "../page/open-link.ts";
import type { State } from "../page/report.ts";
import type { Run, Runs } from "../page/runs.ts";
import { emptyShown, type Shown } from "../page/shown.ts";
import { viewNow } from "../page/view.ts";
import type { Revived } from "./keeper.ts";
import { curvesOf, type View } from "./visit.ts";

/** While training, and after a change while there is none. */
const TRAINING_MILLISECONDS = 4000;
const STILL_MILLISECONDS = 400;
/** In this tab, where it is reloaded. */
const OWN = `divflow visit ${new URL(".", document.baseURI).pathname}`;

type Both = Run["shown"];

export interface Kept {
  readonly runs: Runs;
  readonly state: State;
  readonly t: number;
  readonly drawn: readonly number[];
  /** Whether there is anything that a first visit has not. */
  readonly isOwn: boolean;
}

/** What the page may go on with. */
export interface GoneOn extends Run {
  /** Of Undo. */
  readonly before: Run | undefined;
  readonly view: View;
  /** Whether the address asks for nothing else. */
  readonly isWanted: boolean;
  /** Whether it trains on at once: it did, and this is the same tab. */
  readonly isRunning: boolean;
}

export class Keeping {
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether it is known what was kept before: until then nothing is written over it. */
  #isReady = false;
  /** Whether the timer is one of training. */
  #isPatient = false;
  /** Whether anything was ever worth keeping: from then on all is, also what is as at first again. */
  #isWorth = false;
  /** Of the numbers drawn, how many were kept last. */
  #drawn = 0;
  readonly #kept: () => Kept;
  readonly #send: (message: ToWorker) => void;

  constructor(kept: () => Kept, send: (message: ToWorker) => void) {
    this.#kept = kept;
    this.#send = send;
    send({ kind: "revive", own: inTab((storage) => storage.getItem(OWN)) ?? undefined });
    const leave = () => {
      if (this.#timer !== undefined || this.#kept().drawn.length !== this.#drawn) this.now();
    };
    document.addEventListener("visibilitychange", () => document.hidden && leave());
    addEventListener("pagehide", leave);
  }

  /** Something is other than what is kept: it is stored soon. */
  touch(): void {
    const isTraining = this.#kept().state === "running";
    if (this.#timer !== undefined && this.#isPatient === isTraining) return;
    clearTimeout(this.#timer);
    this.#isPatient = isTraining;
    const wait = isTraining ? TRAINING_MILLISECONDS : STILL_MILLISECONDS;
    this.#timer = setTimeout(() => {
      this.now();
      if (isTraining) this.touch();
    }, wait);
  }

  now(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { runs, state, t, drawn, isOwn } = this.#kept();
    this.#isWorth ||= isOwn;
    this.#drawn = drawn.length;
    if (!this.#isReady || !this.#isWorth || state === "preparing" || state === "failed") return;
    const both = (of: Both) => ({ left: curvesOf(of.left), right: curvesOf(of.right) });
    const view: View = {
      ...{ shown: both(runs.shown), before: runs.before && both(runs.before.shown), isRunning: state === "running" },
      ...{ look: viewNow(t), sampler: samplerChosen(), drawn: [...drawn], hash: linkHere() },
      speed: element<HTMLSelectElement>("speed").value,
    };
    this.#send({ kind: "keep", attempt: runs.attempt, view });
  }

  /** What was kept; undefined where it is nothing, or nothing that this page can show. */
  revived({ name, isOwn, visit }: Revived): GoneOn | undefined {
    this.#isReady = true;
    if (name !== undefined) inTab((storage) => storage.setItem(OWN, name));
    if (!visit || notOffered({ ...visit.settings, sampler: visit.view.sampler })) return undefined;
    this.#isWorth = true;
    const { settings, view, before } = visit;
    return {
      ...{ settings, shown: bothOf(view.shown), view },
      before: before && view.before && { settings: before, shown: bothOf(view.before) },
      isWanted: linkHere() === "" || linkHere() === view.hash,
      isRunning: isOwn && view.isRunning,
    };
  }
}

/** The link to a run in the page's address; other hashes name parts of the page. */
const linkHere = () => (/^#\d+\./.test(location.hash) ? location.hash : "");

function bothOf(curves: View["shown"]): Run["shown"] {
  const whole = (side: Side): Shown => ({ ...emptyShown(), ...curves[side] });
  return { left: whole("left"), right: whole("right") };
}

/** Storage may be blocked: then a reload is as a new visit. */
function inTab<Value>(use: (storage: Storage) => Value): Value | undefined {
  try {
    return use(sessionStorage);
  } catch {
    return undefined;
  }
}
