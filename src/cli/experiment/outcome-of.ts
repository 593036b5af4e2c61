/** Puts together what a plan's folder holds: figures, tests, curves and pictures. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { VERSION } from "../../index.ts";
import { type Plan, runsOf } from "./conduct.ts";
import { readTrace } from "./curves.ts";
import { differencesOf, metricsOf, pointDifferencesOf, summariesOf } from "./outcome.ts";
import { foundArray, placeOfData } from "./places.ts";
import { type Outcome, stylesOf } from "./report.ts";

export async function outcomeOf(
  plan: Plan,
  { backend, device }: { readonly backend: string; readonly device: string },
): Promise<Outcome> {
  const { experiment, preset, settings, input, losses, seeds, out, command } = plan;
  const runs = await runsOf(plan);
  const [summaries, differences] = [summariesOf(runs), differencesOf(runs)];
  const pointDifferences = await pointDifferencesOf(runs, differences, async ({ place }, name) => {
    const { data } = await foundArray(place, name);
    return data;
  });
  const first = await Promise.all(runs.flatMap((run) => (run.seed === seeds[0] ? [readTrace(run)] : [])));
  const traces = first.flatMap((trace) => trace ?? []);
  const styles = stylesOf(losses);
  const judged = runs.filter(({ judgement }) => judgement.failed === undefined);
  const pictures = await experiment.pictures({
    ...{ settings, input, seeds },
    models: judged.map(({ loss, seed, judgement, place }) => ({
      ...{ loss, seed, judgement, style: styles.get(loss) ?? "" },
      title: experiment.contenders[loss]?.title ?? loss,
      array: (name) => foundArray(place, name),
      text: (name) => readFile(join(place, name), "utf8"),
    })),
    array: (name, seed) => foundArray(placeOfData(out, seed), name),
  });
  const document = {
    divflow: VERSION,
    ...{ experiment: experiment.name, preset, settings, input, losses, seeds, backend, device, command },
    metrics: metricsOf(runs).map(({ value: _value, error: _error, ...metric }) => metric),
    results: runs.map(({ loss, seed, judgement, fitted }) => ({
      ...{ loss, seed },
      ...(fitted
        ? {
            steps: fitted.step,
            seconds: fitted.seconds,
            stopped: fitted.stopped,
            ...(fitted.best ? { bestStep: fitted.best.step } : {}),
          }
        : {}),
      metrics: Object.fromEntries(
        judgement.metrics.map(({ name, value, error }) => [name, { value, ...(error === undefined ? {} : { error }) }]),
      ),
      ...(judgement.failed === undefined ? {} : { failed: judgement.failed }),
      ...(judgement.series ? { series: judgement.series } : {}),
    })),
    summary: summaries,
    differences,
    pointDifferences,
    paper: experiment.paper,
    differencesFromPaper: experiment.differences(settings, input),
  };
  return { plan, backend, device, runs, summaries, differences, pointDifferences, traces, pictures, document };
}
