/** Jobs of an experiment put together: one folder, results and report, as if one machine had run all of it. */
import { createHash } from "node:crypto";
import { cp, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, DataError } from "../../index.ts";
import { checkFolder, makeFolder, readBytes } from "../files.ts";
import { LOCK } from "../folder-lock.ts";
import { remark } from "../output.ts";
import { refuseRun } from "../overwrite.ts";
import { RunFolder } from "../run-folder.ts";
import { type Begun, differing } from "./begun.ts";
import { conclude } from "./conclude.ts";
import type { Plan } from "./conduct.ts";
import type { PresetName } from "./experiment.ts";
import type { JobDone } from "./jobs.ts";
import { experimentNamed } from "./named.ts";
import {
  isThere,
  jobFile,
  placeOfData,
  placeOfLoss,
  readJson,
  reportFile,
  resultsFile,
  settingsFile,
  writeJson,
} from "./places.ts";

interface Job {
  readonly folder: string;
  readonly begun: Begun & { readonly preset: PresetName };
  readonly done: JobDone;
}

/**
 * The folders of jobs that are named, or right in those that are; none where these are of something else.
 *
 * @throws {@link DataError} where some are jobs and others are not.
 */
export async function jobFoldersIn(given: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(given.map(jobsIn));
  const other = found.findIndex((jobs) => jobs.length === 0);
  const all = [...new Set(found.flat())];
  if (all.length === 0 || other < 0) return all;
  throw new DataError({
    subject: given[other] ?? "",
    given: "no job of an experiment, beside some that are",
    expected: "folders of jobs alone",
    remedy: "Leave it out.",
  });
}

async function jobsIn(path: string): Promise<readonly string[]> {
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) return [];
  if (await isJob(path)) return [path];
  const inner = (await readdir(path)).sort().map((name) => join(path, name));
  const jobs = await Promise.all(inner.map(isJob));
  return inner.filter((_, i) => jobs[i]);
}

/** One that is not done has settings, but no word that it is. */
const isJob = async (folder: string) =>
  (await isThere(join(folder, settingsFile))) && !(await isThere(join(folder, resultsFile)));

export async function gather(
  folders: readonly string[],
  { out, force, json }: { readonly out: string | undefined; readonly force: boolean; readonly json: boolean },
): Promise<void> {
  if (out === undefined) throw noFolder();
  const jobs = await Promise.all(folders.map(readJob));
  const first = jobs[0] as Job;
  for (const job of jobs) expectAlike(first, job);
  expectAll(jobs);
  await expectEqualData(jobs);
  const { begun, done } = first;
  const experiment = await experimentNamed(begun.experiment);
  const { preset, settings, input } = begun;
  const plan: Plan = {
    experiment,
    preset,
    settings,
    input,
    ...{ seeds: done.seeds, losses: done.losses },
    out,
    command: done.command,
  };
  await checkFolder("--out", out, [settingsFile, resultsFile, reportFile, LOCK]);
  using folder = await RunFolder.claim("--out", out);
  await refuseRun("--out", out, { force });
  for (const {
    folder: from,
    done: { only },
  } of jobs) {
    const { seed, loss } = only;
    const copies = [[placeOfLoss(from, seed, loss), placeOfLoss(out, seed, loss)]];
    if (await isThere(placeOfData(from, seed))) copies.push([placeOfData(from, seed), placeOfData(out, seed)]);
    for (const [source = "", target = ""] of copies) {
      await makeFolder("--out", target);
      await cp(source, target, { recursive: true });
    }
  }
  await writeJson(join(out, settingsFile), begun);
  folder.keep();
  const devices = [...new Set(jobs.map((job) => job.done.device))];
  if (devices.length > 1) remark(`Jobs ran on different devices, ${devices.join(" and ")}: seconds do not compare.`);
  await conclude(plan, { backend: begun.backend, device: devices.join("; ") }, json);
}

function noFolder(): ConfigError {
  return new ConfigError({
    subject: "--out",
    given: "nothing",
    expected: "a folder for the whole experiment",
    remedy: "Name one, such as --out runs/all.",
  });
}

async function readJob(folder: string): Promise<Job> {
  const begun = await readJson<Job["begun"]>(join(folder, settingsFile));
  const done = await readJson<JobDone>(join(folder, jobFile));
  if (begun && done) return { folder, begun, done };
  throw new DataError({
    subject: folder,
    given: "a job that is not done",
    expected: "jobs of --jobs that ended well",
    remedy: "Give its command again: it goes on with what is there.",
  });
}

function expectAlike(first: Job, job: Job): void {
  const [wanted, own] = [first.done, job.done];
  const lists = (["seeds", "losses"] as const).find((key) => wanted[key].join() !== own[key].join());
  const other =
    differing(job.begun, first.begun) ??
    (wanted.divflow === own.divflow ? undefined : `of divflow ${own.divflow}, not ${wanted.divflow}`) ??
    (lists && `whose ${lists} are ${own[lists].join(", ")}, not ${wanted[lists].join(", ")}`);
  if (other === undefined) return;
  throw new DataError({
    subject: job.folder,
    given: `a job of another run, ${other}`,
    expected: `jobs of the run that ${first.folder} is of`,
    remedy: "Leave it out, or run it again by the line of --jobs.",
  });
}

function expectAll(jobs: readonly Job[]): void {
  const seen = new Map<string, string>();
  for (const { folder, done } of jobs) {
    const name = `${done.only.seed}/${done.only.loss}`;
    const before = seen.get(name);
    if (before !== undefined) {
      throw new DataError({
        subject: folder,
        given: `job ${name}, which ${before} is too`,
        expected: "each job once",
        remedy: "Leave one of them out.",
      });
    }
    seen.set(name, folder);
  }
  const { seeds, losses } = (jobs[0] as Job).done;
  const all = seeds.flatMap((seed) => losses.map((loss) => `${seed}/${loss}`));
  const missing = all.filter((name) => !seen.has(name));
  if (missing.length === 0) return;
  throw new DataError({
    subject: "jobs",
    given: `${seen.size} of ${all.length}: ${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} missing`,
    expected: "all that --jobs lists",
    remedy: `Run what is missing, such as --only ${missing[0]}.`,
  });
}

/** Losses are compared on the same data: those of a seed have to be the same bytes in all of its jobs. */
async function expectEqualData(jobs: readonly Job[]): Promise<void> {
  const known = new Map<string, readonly [folder: string, hash: string]>();
  for (const { folder, done } of jobs) {
    const place = placeOfData(folder, done.only.seed);
    for (const name of await readdir(place).catch(() => [])) {
      const hash = createHash("sha256")
        .update(await readBytes(join(place, name)))
        .digest("hex");
      const key = `seed-${done.only.seed}/data/${name}`;
      const before = known.get(key);
      if (before && before[1] !== hash) {
        throw new DataError({
          subject: join(place, name),
          given: "other data of the same seed",
          expected: `those of ${before[0]}`,
          remedy: "Run both jobs on machines of one kind, with equal input files.",
        });
      }
      known.set(key, before ?? [folder, hash]);
    }
  }
}
