/** The metrics ring of a trainer, read. */
import { METRIC_ROWS, metricNames, trainState } from "../train/step.ts";
import type { StepMetrics } from "./api.ts";
import type { StateStore } from "./state-store.ts";

/** The metrics of steps `from` + 1 to `to`; `to` - `from` is at most METRIC_ROWS. */
export async function readMetrics(store: StateStore, from: number, to: number): Promise<StepMetrics[]> {
  const width = metricNames.length;
  const rows: StepMetrics[] = [];
  for (let index = from; index < to; ) {
    const first = index % METRIC_ROWS;
    const count = Math.min(to - index, METRIC_ROWS - first);
    const values = await store.read(trainState.metrics.name, first * width, count * width);
    for (let row = 0; row < count; row++) {
      const metrics = Object.fromEntries(metricNames.map((name, column) => [name, values[row * width + column]]));
      rows.push({ step: index + row + 1, ...metrics } as StepMetrics);
    }
    index += count;
  }
  return rows;
}
