/** The metrics ring of a trainer, read. */
import { METRIC_COLUMNS, METRIC_ROWS, metricNames, trainState } from "../train/step.ts";
import type { StepMetrics } from "./api.ts";
import type { StateStore } from "./state-store.ts";

export interface ReadMetrics {
  readonly rows: StepMetrics[];
  /** The first step that changed nothing, since something in it was not finite. */
  readonly bad: StepMetrics | undefined;
}

/** The metrics of steps `from` + 1 to `to`; `to` - `from` is at most METRIC_ROWS. */
export async function readMetrics(store: StateStore, from: number, to: number): Promise<ReadMetrics> {
  const rows: StepMetrics[] = [];
  let bad: StepMetrics | undefined;
  for (let index = from; index < to; ) {
    const first = index % METRIC_ROWS;
    const count = Math.min(to - index, METRIC_ROWS - first);
    const values = await store.read(trainState.metrics.name, first * METRIC_COLUMNS, count * METRIC_COLUMNS);
    for (let row = 0; row < count; row++) {
      const at = row * METRIC_COLUMNS;
      const metrics = Object.fromEntries(metricNames.map((name, column) => [name, values[at + column]]));
      rows.push({ step: index + row + 1, ...metrics } as StepMetrics);
      if (values[at + metricNames.length] !== 1) bad ??= rows.at(-1);
    }
    index += count;
  }
  return { rows, bad };
}
