/** Training curves of an experiment, against steps and against seconds, read from what trainings wrote. */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ValidationMetrics } from "../../index.ts";
import { type Criterion, History } from "../history.ts";
import type { MetricsLine } from "../metrics-lines.ts";
import { type Curve, chart } from "../report/curves.ts";
import type { Run } from "./conduct.ts";
import type { Experiment } from "./experiment.ts";
import { readTimes, timesFile } from "./fit.ts";
import { isThere } from "./places.ts";

/** How a training went. */
export interface Trace {
  readonly loss: string;
  readonly history: History;
  /** Step and seconds, rising. */
  readonly times: readonly (readonly [step: number, seconds: number])[];
}

export async function readTrace({ loss, place }: Run): Promise<Trace | undefined> {
  const file = join(place, "metrics.jsonl");
  if (!(await isThere(file))) return undefined; // it trains nothing, or several models in folders of their own
  const history = new History();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (line.endsWith("}")) history.add([JSON.parse(line) as MetricsLine]);
  }
  return { loss, history, times: await readTimes(timesFile(place)) };
}

/** Charts of what all train on, and of what is held out. */
export function curvesOf(
  traces: readonly Trace[],
  { contenders }: Experiment,
  styles: ReadonlyMap<string, string>,
): string {
  const of = (pick: (history: History) => Curve["points"], exact: boolean, best?: Criterion) => (inSeconds: boolean) =>
    traces.flatMap(({ loss, history, times }): Curve[] => {
      const points = pick(history);
      if (points.length === 0) return [];
      const at = inSeconds ? secondsAt(times) : (step: number) => step;
      const key = { name: contenders[loss]?.title ?? loss, style: styles.get(loss) ?? "", exact };
      const marked = best && markOf(history.best, best);
      return [
        {
          ...key,
          points: points.map(([step, value]) => [at(step), value] as const),
          ...(marked ? { marked: [at(marked[0]), marked[1]] as const } : {}),
        },
      ];
    });
  const criterion: Criterion = traces.every(({ history }) => history.judged > 0)
    ? "negativeLogLikelihood"
    : "velocityLoss";
  const heldOut = criterion === "velocityLoss" ? "Velocity loss, held out" : "Negative log-likelihood, held out";
  const kinds = [
    [
      heldOut,
      "the same rows and draws each time; dot: the best",
      of((history) => history.heldOut[criterion].points, true, criterion),
    ],
    ["Velocity loss", "of minibatches", of((history) => history.velocityLoss.points, false)],
    [
      "Divergence loss",
      "of minibatches, of losses that have one",
      of((history) => history.divergenceLoss.points.filter(([, value]) => value !== 0), false),
    ],
  ] as const;
  return kinds
    .flatMap(([title, note, curves]) => [
      chart(title, note, curves(false)),
      chart(`${title}, by time`, note, curves(true), { name: "seconds of training" }),
    ])
    .join("");
}

function markOf(best: ValidationMetrics | undefined, criterion: Criterion): readonly [number, number] | undefined {
  const value = best?.[criterion];
  return best && value !== undefined ? [best.step, value] : undefined;
}

/** Seconds at a step, between those that are known along a line from 0. */
export function secondsAt(times: Trace["times"]): (step: number) => number {
  return (step) => {
    const after = times.findIndex(([at]) => at >= step);
    const [low, high] =
      after < 0
        ? [times.at(-2) ?? [0, 0], times.at(-1) ?? [1, 0]]
        : [times[after - 1] ?? [0, 0], times[after] ?? [1, 0]];
    const [from, began] = low as readonly [number, number];
    const [to, ended] = high as readonly [number, number];
    return to > from ? began + ((step - from) / (to - from)) * (ended - began) : ended;
  };
}
