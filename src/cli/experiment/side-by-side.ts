/** `divflow experiment --compare A B`: two runs' figures beside each other, with what they differ in. */
import { join } from "node:path";
import { ConfigError, VERSION } from "../../index.ts";
import { checkFolder, makeFolder } from "../files.ts";
import { exitCodes, report, textTable } from "../output.ts";
import { replaceFile } from "../replace-file.ts";
import { escapeHtml } from "../report/html.ts";
import { within } from "../report/numbers.ts";
import { documentOf, tableSection } from "../report/page.ts";
import { meanAndDeviation, welchTest } from "../statistics.ts";
import { withEqualSeconds } from "./equal-seconds.ts";
import type { Metric, PresetName, Settings } from "./experiment.ts";
import { pText } from "./outcome.ts";
import { outcomeOf } from "./outcome-of.ts";
import { readJson, resultsFile } from "./places.ts";
import { experiments } from "./registry.ts";
import { figure, measureOf } from "./tables.ts";

/** What of results.json is read. */
interface Results {
  readonly experiment: string;
  readonly preset: PresetName;
  readonly settings: Settings;
  readonly input: string;
  readonly losses: readonly string[];
  readonly seeds: readonly number[];
  readonly backend: string;
  readonly device: string;
  readonly command: string;
  readonly metrics: readonly Omit<Metric, "value">[];
  readonly results: readonly {
    readonly loss: string;
    readonly seed: number;
    readonly seconds?: number;
    readonly metrics: Readonly<Record<string, { readonly value: number | null; readonly error?: number }>>;
  }[];
}

/** The page that --out makes room for. */
const PAGE = "side-by-side.html";

export async function compareRuns(
  first: string,
  second: string | undefined,
  { out, json }: { readonly out?: string | undefined; readonly json?: boolean | undefined },
): Promise<number> {
  if (second === undefined) {
    throw new ConfigError({
      subject: `--compare ${first}`,
      given: "one folder",
      expected: "two",
      remedy: "Write divflow experiment --compare A B.",
    });
  }
  const [a, b] = await Promise.all([readResults(first), readResults(second)]);
  if (out !== undefined) await checkFolder("--out", out, [PAGE]);
  const rows = [["measure", first, second, "second less first", "p, Welch"], ...rowsOf(a, b)];
  const settings = [["setting", first, second], ...differing(a, b)];
  const note =
    "Means over seeds; ±: standard deviation over them, of one seed the figure's own standard error. Two-sided t-tests over seeds.";
  const lines = [
    ...textTable(rows),
    note,
    "",
    ...(settings.length > 1 ? textTable(settings) : ["No setting differs."]),
  ];
  const document = {
    runs: [first, second],
    rows: rows
      .slice(1)
      .map((row) =>
        Object.fromEntries(row.map((cell, i) => [["measure", "first", "second", "difference", "p"][i], cell])),
      ),
  };
  if (out !== undefined) {
    await makeFolder("--out", out);
    const pictures = await Promise.all([picturesOf(a, first), picturesOf(b, second)]);
    const body = [
      `<p>${escapeHtml(`${first} and ${second}: equal measures of two runs, with what they differ in.`)}</p>`,
      ...pictures,
      `<h2>Result</h2>${tableSection({ name: "Result", rows, note })}`,
      settings.length > 1
        ? `<h2>Settings that differ</h2>${tableSection({ name: "Settings", rows: settings, note: "All others are equal." })}`
        : "<p>No setting differs.</p>",
    ].join("\n");
    const today = new Date().toISOString().slice(0, 16).replace("T", " ");
    await replaceFile(
      join(out, PAGE),
      documentOf(`${a.experiment}, two runs`, body, `divflow ${VERSION}, ${today} UTC`),
    );
    lines.push("", `Report: ${join(out, PAGE)}`);
  }
  report(json === true, document, lines);
  return exitCodes.success;
}

async function readResults(folder: string): Promise<Results> {
  const file = join(folder, resultsFile);
  const found = await readJson<Results>(file);
  if (found && Array.isArray(found.results)) return found;
  throw new ConfigError({
    subject: `--compare ${folder}`,
    given: found ? "a results.json of something else" : "no such file: results.json",
    expected: "the folder of an experiment that has ended",
    remedy: "Name the --out of one.",
  });
}

/** A row for each measure and loss that both have. */
function rowsOf(a: Results, b: Results): string[][] {
  const losses = a.losses.filter((loss) => b.losses.includes(loss));
  const metrics = a.metrics.filter(({ name }) => b.metrics.some((other) => other.name === name));
  return losses.flatMap((loss) =>
    metrics.map((metric) => {
      const [one, other] = [valuesOf(a, loss, metric.name), valuesOf(b, loss, metric.name)];
      const test = welchTest(other.values, one.values);
      const scale = test.standardError || Math.abs(test.difference);
      return [
        `${loss}: ${measureOf(metric)}`,
        one.cell,
        other.cell,
        within(test.difference, scale || 1),
        pText(test.p),
      ];
    }),
  );
}

function valuesOf({ results }: Results, loss: string, metric: string) {
  const found = results.flatMap((run) => (run.loss === loss && run.metrics[metric] ? [run.metrics[metric]] : []));
  const values = found.flatMap(({ value }) => (value === null ? [] : [value]));
  const { mean, deviation } = meanAndDeviation(values);
  return { values, cell: figure(mean, values.length > 1 ? deviation : found[0]?.error) };
}

/** Settings that differ, by name. */
function differing(a: Results, b: Results): string[][] {
  const all = (one: Results) => ({
    ...{ experiment: one.experiment, input: one.input, preset: one.preset, backend: one.backend },
    ...{ device: one.device, seeds: one.seeds.join(", "), losses: one.losses.join(", ") },
    ...one.settings,
  });
  const [first, second] = [all(a), all(b)] as [Settings, Settings];
  const names = [...new Set([...Object.keys(first), ...Object.keys(second)])];
  return names.flatMap((name) => {
    const cells = [first[name], second[name]].map((value) => String(value ?? "–"));
    return cells[0] === cells[1] ? [] : [[name, ...cells]];
  });
}

/** The pictures of a run, drawn again from what it keeps. */
async function picturesOf(results: Results, out: string): Promise<string> {
  const found = await experiments[results.experiment]?.();
  if (!found) return "";
  const experiment = withEqualSeconds(found);
  const { pictures } = await outcomeOf({ ...results, experiment, out }, results);
  return `<h2>${escapeHtml(out)}</h2>${pictures}`;
}
