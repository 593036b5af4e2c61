/** The end of an experiment: results and report of what a folder holds, written and said. */
import { join } from "node:path";
import { report, textTable } from "../output.ts";
import { replaceFile } from "../replace-file.ts";
import type { Plan } from "./conduct.ts";
import { metricsOf } from "./outcome.ts";
import { outcomeOf } from "./outcome-of.ts";
import { reportFile, resultsFile, writeJson } from "./places.ts";
import { reportOf, verdictsOf } from "./report.ts";
import { terminalTables } from "./tables.ts";

export async function conclude(
  plan: Plan,
  where: { readonly backend: string; readonly device: string },
  isJson: boolean,
): Promise<void> {
  const { experiment, losses, out } = plan;
  const outcome = await outcomeOf(plan, where);
  await writeJson(join(out, resultsFile), outcome.document);
  await replaceFile(join(out, reportFile), reportOf(outcome));
  const tables = terminalTables(experiment, losses, outcome.summaries, metricsOf(outcome.runs), outcome.runs);
  report(isJson, outcome.document, [
    ...tables.flatMap(({ rows, note }) => [...textTable(rows), note]),
    ...verdictsOf(outcome).map(({ text }) => `${text}.`),
    "",
    `Report: ${join(out, reportFile)}`,
  ]);
}
