/** What is kept of a visit, so that the next one goes on where it was: plain data, in four parts. */
import { type DataChoice, type Settings, type Side, sides } from "../messages.ts";
import type { Shown } from "../page/shown.ts";
import { faultOf, type SharedRun, type SharedSampler, type SharedView } from "../share/run.ts";
import type { KeptEntrant } from "../train/models.ts";
import type { Past } from "../train/session.ts";

/** Of what is stored: another one is of another version of the page. */
export const FORM = 1;

/** What the curves and figures are made of; pictures are drawn anew. */
export type Curves = Pick<Shown, "step" | "seconds" | "millisecondsPerStep" | "losses" | "judged">;

/** What was chosen and seen on the page, beside its settings. */
export interface View {
  readonly shown: Readonly<Record<Side, Curves>>;
  /** Of the run that Undo brings back. */
  readonly before: Readonly<Record<Side, Curves>> | undefined;
  readonly look: SharedView;
  readonly sampler: SharedSampler;
  readonly speed: string;
  /** What is drawn on the pad, [count, 2] flat. */
  readonly drawn: readonly number[];
  /** Of the page's address: a link that is opened later is another one. */
  readonly hash: string;
  readonly isRunning: boolean;
}

/** Both models, and the one that a pinned one stands in for. */
export type Models = Pick<Past, "entrants" | "unpinned">;

/** A visit, as it is stored: parts that seldom change, or are large, are written when they do. */
export interface Parts {
  readonly settings: { readonly form: number; readonly now: Settings; readonly before: Settings | undefined };
  /** Undefined of models that were not trained: the seed makes the same ones again. */
  readonly now: { readonly models: Models | undefined; readonly view: View };
  readonly before: Models | undefined;
  /** When it was written, milliseconds since 1970. */
  readonly at: number;
}
export const partNames = ["settings", "now", "before", "at"] as const satisfies readonly (keyof Parts)[];

export interface Visit {
  readonly settings: Settings;
  readonly models: Models | undefined;
  readonly view: View;
  /** What Undo brings back. */
  readonly before: Past | undefined;
}

/**
 * The visit in what was stored; undefined where nothing was.
 *
 * @throws Error with a sentence for the visitor, of what is damaged or of another version. Models are not looked into: who
 * resumes them does.
 */
export function visitIn(parts: Readonly<Partial<Record<keyof Parts, unknown>>>): Visit | undefined {
  if (partNames.every((name) => parts[name] === undefined)) return undefined;
  const { settings, now, before } = parts as Partial<Parts>;
  const form = Object(settings).form as unknown;
  if (form !== FORM) throw new Error(`${WHAT} is of another version of this page.`);
  try {
    const { models, view } = now as Parts["now"];
    const own = expected((settings as Parts["settings"]).now, view);
    const earlier = (settings as Parts["settings"]).before;
    const past = earlier && before && view.before && { settings: expected(earlier, view), ...modelsIn(before) };
    return {
      settings: own,
      models: models && modelsIn(models),
      view: { ...viewIn(view), before: past && bothIn(view.before as View["shown"]) },
      before: past,
    };
  } catch (cause) {
    throw new Error(`${WHAT} is damaged.`, { cause });
  }
}
const WHAT = "What this browser kept of the last visit";

class Damage extends Error {}
function check(isRight: boolean): void {
  if (!isRight) throw new Damage();
}

function expected(settings: Settings, { sampler, look }: View): Settings {
  const { data, batchSize } = settings;
  check(batchSize === undefined || (Number.isInteger(batchSize) && batchSize >= 1));
  if (data.kind === "table") checkTable(data);
  const shared: SharedRun["data"] = data.kind === "table" ? { kind: "named", name: "checkerboard" } : data;
  check(faultOf({ ...settings, data: shared, sampler, view: look }) === undefined);
  return settings;
}

function checkTable({ bytes, title, columns, label }: DataChoice & { kind: "table" }): void {
  check(bytes instanceof Uint8Array && typeof title === "string");
  check(columns === undefined || (columns.length === 2 && columns.every((one) => Number.isInteger(one) && one >= 0)));
  check(label === undefined || (Number.isInteger(label) && label >= 0));
}

function modelsIn({ entrants, unpinned }: Models): Models {
  for (const one of [...sides.map((side) => entrants[side]), ...(unpinned ? [unpinned] : [])]) checkEntrant(one);
  return { entrants, unpinned };
}

function checkEntrant({ bytes, weight, before, changes, seconds, pinned }: KeptEntrant): void {
  check(bytes instanceof Uint8Array && bytes.length > 0);
  check([weight, before, changes, seconds].every((value) => value >= 0));
  check(pinned === undefined || typeof pinned === "string");
}

function viewIn(view: View): View {
  const { drawn, hash, speed, look } = view;
  check([hash, speed].every((one) => typeof one === "string") && look !== undefined);
  check(Array.isArray(drawn) && drawn.length % 2 === 0 && drawn.every((value) => Math.abs(value) <= 8));
  return { ...view, shown: bothIn(view.shown) };
}

function bothIn(shown: View["shown"]): View["shown"] {
  for (const side of sides) {
    const { step, seconds, losses, judged } = shown[side];
    check(step >= 0 && seconds >= 0);
    check(losses.every((one) => [one.step, one.seconds, one.value].every(Number.isFinite)));
    check(judged.every((one) => [one.step, one.seconds, one.likelihood, one.wasserstein].every(Number.isFinite)));
  }
  return shown;
}

/** Of what is shown of a model, what is kept. */
export const curvesOf = ({ step, seconds, millisecondsPerStep, losses, judged }: Shown): Curves => ({
  ...{ step, seconds, millisecondsPerStep, losses, judged },
});
