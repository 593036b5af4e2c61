/**
 * `divflow experiment NAME`: one of the paper's experiments, or of the field's, with its evidence laid open: the same data, seeds,
 * batches and rules for every loss, a report to look at, and all that it is made of kept. Alone it lists them.
 */
import { basename, join } from "node:path";
import { defineCommand } from "citty";
import { ConfigError } from "../index.ts";
import { closest, givenOptions, oneOf, positiveInteger } from "./arguments.ts";
import { takeFolder } from "./experiment/begun.ts";
import { conclude } from "./experiment/conclude.ts";
import { conduct, type Plan } from "./experiment/conduct.ts";
import { type Experiment, presetNames, type Settings } from "./experiment/experiment.ts";
import { endJob, listJobs, readOnly } from "./experiment/jobs.ts";
import { experimentNamed } from "./experiment/named.ts";
import { isThere, reportFile, resultsFile, settingsFile } from "./experiment/places.ts";
import { experiments } from "./experiment/registry.ts";
import { titleOf } from "./experiment/report.ts";
import { compareRuns } from "./experiment/side-by-side.ts";
import { checkFolder } from "./files.ts";
import { LOCK } from "./folder-lock.ts";
import { exitCodes, remark, report, shellCommand } from "./output.ts";
import { forceArgument, refuseRun } from "./overwrite.ts";
import { RunFolder } from "./run-folder.ts";
import { backendArgument, openRuntime, readRuntime, threadsArgument } from "./runtime.ts";
import { wasInterrupted } from "./signals.ts";

/** More would be a mistake in a number. */
const MOST_SEEDS = 1000;

export const experiment = defineCommand({
  meta: { name: "experiment", description: "Run one of the paper's or the field's experiments; alone: list them" },
  args: {
    name: { type: "positional", description: "which; left out: the list", required: false },
    input: {
      type: "positional",
      description: "of experiments on data of your own: the file or folder",
      required: false,
    },
    preset: {
      type: "string",
      description: "quick (minutes), standard (hours) or paper (the paper's setting)",
      default: "quick",
    },
    losses: {
      type: "string",
      description: "which to hold against the first of them: a,b (cfm,fdm; experiments have more)",
    },
    seeds: { type: "string", description: "how many seeds, from 0 on (quick: 1, standard: 3)" },
    data: { type: "string", description: "data set by name, or file, of experiments that have several" },
    set: { type: "string", description: "settings in place of the preset's: steps=500,width=32" },
    out: { type: "string", description: "folder of its own; it goes on with what is there (runs/NAME-PRESET)" },
    jobs: { type: "boolean", description: "run nothing: print a line of command for each model, to run anywhere" },
    only: {
      type: "string",
      description: "one model, as SEED/LOSS: a line of --jobs; divflow merge puts them together",
    },
    compare: { type: "string", description: "two folders side by side: --compare A B" },
    backend: backendArgument,
    threads: threadsArgument,
    force: { ...forceArgument, description: "begin anew in a folder that holds something else" },
    json: { type: "boolean", description: "print one JSON document" },
  },
  async run({ args, rawArgs }) {
    const preset = oneOf("--preset", args.preset, presetNames);
    const seedCount = args.seeds === undefined ? undefined : positiveInteger("--seeds", args.seeds, MOST_SEEDS);
    const choice = readRuntime(args);
    if (args.compare !== undefined) return compareRuns(args.compare, args.name, args);
    if (args.name === undefined) {
      refuseAlone(rawArgs);
      await list(args.json === true);
      return exitCodes.success;
    }
    const named = await experimentNamed(args.name);
    const chosen = named.presets[preset];
    const settings = readSettings(named, chosen.settings, args.set);
    const input = readInput(named, args.input, args.data);
    const losses = readLosses(named, args.losses);
    named.check?.(settings, input);
    const out =
      args.out ??
      join(
        "runs",
        [named.name, ...(input === "" || input === named.input?.default ? [] : [basename(input)]), preset].join("-"),
      );
    const seeds = Array.from({ length: seedCount ?? chosen.seeds }, (_, seed) => seed);
    const command = shellCommand(["divflow", "experiment", ...rawArgs.filter((one) => one !== "--force")]);
    const whole: Plan = { experiment: named, preset, settings, input, losses, seeds, out, command };
    if (args.jobs === true) {
      listJobs(whole, rawArgs, args.json === true);
      return exitCodes.success;
    }
    const only = readOnly(args.only, whole);
    const plan: Plan = only ? { ...whole, seeds: [only.seed], losses: [only.loss] } : whole;
    await checkFolder("--out", out, [settingsFile, resultsFile, reportFile, LOCK]);
    using folder = await RunFolder.claim("--out", out);
    const isBegun = await isThere(join(out, settingsFile));
    if (!isBegun) await refuseRun("--out", out, args);
    using runtime = await openRuntime(choice);
    await takeFolder(plan, runtime.backend, args.force === true);
    folder.keep();
    remark(`${titleOf(plan)}, preset ${preset}: ${chosen.cost}`);
    try {
      await conduct(runtime, plan);
    } catch (error) {
      if (!wasInterrupted() || !(error instanceof Error) || error.name !== "AbortError") throw error;
      remark(`Interrupted. What is done is kept in ${out}. To go on: ${command}`);
      return exitCodes.interrupted;
    }
    if (only) {
      await endJob(whole, only, { device: runtime.device, rawArguments: rawArgs });
      report(args.json === true, { ...only, out }, [
        `Done: ${titleOf(plan)}, seed ${only.seed}, ${only.loss}, in ${out}`,
      ]);
    } else await conclude(plan, runtime, args.json === true);
    return exitCodes.success;
  },
});

async function list(json: boolean): Promise<void> {
  const all = await Promise.all(Object.keys(experiments).map(experimentNamed));
  const document = all.map(({ name, summary, contenders, presets, input }) => ({
    ...{ name, summary, ...(input ? { input } : {}) },
    losses: Object.entries(contenders).map(([loss, { title, about }]) => ({ loss, title, about })),
    presets: Object.fromEntries(presetNames.map((preset) => [preset, presets[preset]])),
  }));
  const width = Math.max(...all.map(({ name }) => name.length));
  report(json, document, [
    "Experiments:",
    "",
    ...all.flatMap(({ name, summary, contenders, input }) => [
      `  ${name.padEnd(width)}  ${summary}`,
      `  ${"".padEnd(width)}  losses: ${Object.keys(contenders).join(", ")}${input ? `; --data ${input.what}` : ""}`,
    ]),
    "",
    "divflow experiment NAME runs one; --preset standard or paper takes longer and says more.",
  ]);
}

/** Without a name there is nothing that options could be of. */
function refuseAlone(rawArguments: readonly string[]): void {
  const given = [...givenOptions(rawArguments).keys()].find((name) => name !== "json" && name !== "quiet");
  if (given === undefined) return;
  throw new ConfigError({
    subject: `--${given}`,
    given: "without an experiment",
    expected: "the name of one before it",
    remedy: `Name one of ${Object.keys(experiments).join(", ")}.`,
  });
}

function readLosses(
  { name, contenders, losses = ["cfm", "fdm"] }: Experiment,
  given: string | undefined,
): readonly string[] {
  if (given === undefined) return losses;
  const known = Object.keys(contenders);
  const chosen = given.split(",").map((one) => oneOf(`--losses of ${name}`, one.trim(), known));
  const twice = chosen.find((one, i) => chosen.indexOf(one) !== i);
  if (twice === undefined) return chosen;
  throw new ConfigError({
    subject: "--losses",
    given: `${twice} twice`,
    expected: "each once",
    remedy: "Leave one of them out.",
  });
}

/** NAME=VALUE each. What has no = goes on with a text before it: columns=age:integer,income:log. */
function settingsIn(given: string, settings: Settings): readonly string[] {
  const all: string[] = [];
  for (const one of given.split(",")) {
    const [before = ""] = all.at(-1)?.split("=") ?? [];
    const goesOn = !one.includes("=") && typeof settings[before.trim()] === "string" && one.trim() !== "";
    if (goesOn) all.push(`${all.pop()},${one}`);
    else all.push(one);
  }
  return all;
}

/** The preset's settings with those that --set gives, each of the kind that the preset's is of. */
export function readSettings(
  { name }: Pick<Experiment, "name">,
  settings: Settings,
  given: string | undefined,
): Settings {
  if (given === undefined) return settings;
  const changed = settingsIn(given, settings).map((one): [string, Settings[string]] => {
    const at = one.indexOf("=");
    const [key, text] = [one.slice(0, Math.max(0, at)).trim(), one.slice(at + 1).trim()];
    const usual = Object.hasOwn(settings, key) ? settings[key] : undefined;
    const names = Object.keys(settings);
    if (usual === undefined) {
      const expected = `NAME=VALUE, the name one of ${names.join(", ")}`;
      throw new ConfigError({ subject: `--set of ${name}`, given: one, expected, remedy: closest(key, names) });
    }
    const value =
      typeof usual === "number"
        ? Number(text === "" ? Number.NaN : text)
        : typeof usual === "boolean"
          ? text === "true"
          : text;
    const fits =
      typeof usual === "number" ? Number.isFinite(value) : typeof usual !== "boolean" || /^(true|false)$/.test(text);
    if (fits) return [key, value];
    const expected = typeof usual === "number" ? `a number, such as ${usual}` : "true or false";
    throw new ConfigError({ subject: `--set ${key}`, given: text, expected, remedy: "See docs/experiments.md." });
  });
  return { ...settings, ...Object.fromEntries(changed) };
}

/** The file, folder or data set that is named, behind the experiment's name or by --data. */
function readInput({ name, input }: Experiment, positional: string | undefined, data: string | undefined): string {
  const refuse = (given: string, expected: string, remedy: string) => {
    throw new ConfigError({ subject: `data of ${name}`, given, expected, remedy });
  };
  if (positional !== undefined && data !== undefined)
    refuse("twice", "once", "Leave out --data, or what stands behind the name.");
  const given = positional ?? data;
  if (!input) {
    if (given !== undefined) refuse(given, "none: its data are made", "Leave it out.");
    return "";
  }
  if (given === undefined && input.default === undefined)
    refuse("nothing", input.what, `Write divflow experiment ${name} ${input.what}.`);
  return given ?? input.default ?? "";
}
