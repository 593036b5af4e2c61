/** Everything shown of the two models, kept as the worker tells it. */
import type { Frames, FromWorker, Judged, Slice } from "../messages.ts";

export interface Loss {
  readonly step: number;
  readonly seconds: number;
  readonly value: number;
}

export interface Shown {
  step: number;
  /** Of its training. */
  seconds: number;
  millisecondsPerStep: number;
  readonly losses: Loss[];
  readonly judged: Judged[];
  frames: Frames | undefined;
  slice: Slice | undefined;
}

export const emptyShown = (): Shown => ({
  ...{ step: 0, seconds: 0, millisecondsPerStep: 0, losses: [], judged: [], frames: undefined, slice: undefined },
});

/** Minibatch losses are noisy: the curve is their mean, in which so many steps fade to 1/e. */
const SMOOTHED_STEPS = 100;

export function takeLosses(one: Shown, message: FromWorker & { kind: "losses" }): void {
  const { step, velocityLoss, millisecondsPerStep, seconds } = message;
  const share = 1 - Math.exp((one.step - step) / SMOOTHED_STEPS);
  const before = one.losses.at(-1)?.value ?? velocityLoss;
  one.losses.push({ step, seconds, value: before + share * (velocityLoss - before) });
  thin(one.losses);
  one.millisecondsPerStep += (one.step === 0 ? 1 : 0.2) * (millisecondsPerStep - one.millisecondsPerStep);
  one.step = step;
  one.seconds = seconds;
}

/** In place of one of the same step: the later judgement has seen more points. */
export function takeJudged(one: Shown, judged: Judged): void {
  if (one.judged.at(-1)?.step === judged.step) one.judged.pop();
  one.judged.push(judged);
  thin(one.judged);
}

/** Of the left one once it is another: the pinned run takes its curves with it, one from a file has none. */
export function pinnedShown(right: Shown, { title, step, isOpened }: FromWorker & { kind: "pinned" }): Shown {
  if (title === null || isOpened) return { ...emptyShown(), step };
  return { ...right, losses: [...right.losses], judged: [...right.judged] };
}

/** Halves the points once there are more than a curve can show; the last one stays. */
function thin<Point>(points: Point[]): void {
  if (points.length < 1000) return;
  points.splice(0, points.length, ...points.filter((_, i) => i % 2 === 1));
}
