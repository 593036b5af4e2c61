// `experiment --jobs` and `merge`: models made apart, each by its line, are one run's, to the same records, figures and report.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { exitCodeOf } from "../../src/cli/output.ts";
import { run } from "../../src/cli/program.ts";

const folder = await mkdtemp(join(tmpdir(), "divflow-jobs-"));
const before = process.cwd();
afterAll(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

const settings = "steps=60,width=8,layers=1,batch=32,points=64,grid=8,solver=4,validations=2";
const whole = ["checkerboard", "--set", settings, "--seeds", "2", "--losses", "fdm,cfm", "--backend", "wasm"];
const read = (...names: string[]) => readFile(join(folder, ...names), "utf8");

async function printed(parameters: readonly string[]): Promise<string> {
  let output = "";
  const written = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    output += text;
    return true;
  });
  try {
    expect(await run([...parameters, "--quiet"])).toBe(0);
    return output;
  } finally {
    written.mockRestore();
  }
}

async function refused(...parameters: string[]): Promise<string> {
  const error = await printed(parameters).then(
    () => new Error("nothing was refused"),
    (error: Error) => error,
  );
  expect(exitCodeOf(error), error.message).toBe(2);
  return error.message;
}

let lines: string[];
beforeAll(async () => {
  process.chdir(folder);
  await printed(["experiment", ...whole, "--threads", "1", "--out", "straight"]);
  lines = (await printed(["experiment", ...whole, "--jobs", "--out=runs/x"])).trim().split("\n");
  for (const line of lines.toReversed()) await printed(line.split(" ").slice(1));
}, 120_000);

test("each model has a line, which is a command", () => {
  expect(lines).toEqual(
    ["0/fdm", "0/cfm", "1/fdm", "1/cfm"].map(
      (only) => `divflow experiment ${whole.join(" ")} --only ${only} --out runs/x/jobs/${only.replace("/", "-")}`,
    ),
  );
});

test("put together, they are the run that made all of them", async () => {
  const document = JSON.parse(await printed(["merge", "runs/x/jobs", "--out", "runs/x", "--json"]));
  for (const seed of ["seed-0", "seed-1"]) {
    for (const loss of ["cfm", "fdm"]) {
      for (const file of ["record.json", "model.safetensors", "metrics.jsonl", "samples.npy", "config.json"]) {
        expect(await read("runs", "x", seed, loss, file), `${seed} ${loss} ${file}`).toBe(
          await read("straight", seed, loss, file),
        );
      }
    }
    expect(await readdir(join("runs", "x", seed))).toEqual(await readdir(join("straight", seed)));
  }
  const timeless = (text: string) =>
    JSON.parse(text, (key, value) => (["seconds", "command", "device"].includes(key) ? undefined : value));
  expect(timeless(await read("runs", "x", "results.json"))).toEqual(timeless(await read("straight", "results.json")));
  expect(document).toEqual(JSON.parse(await read("runs", "x", "results.json")));
  expect(document.command).toBe(`divflow experiment ${whole.join(" ")}`);
  expect(await read("runs", "x", "experiment.json")).toBe(await read("straight", "experiment.json"));
  expect(await read("runs", "x", "report.html")).toMatch(/<svg[\s\S]*paired/i);
  expect(await refused("merge", "runs/x/jobs", "--out", "runs/x")).toMatch(/a folder that holds a run/);
  // It is an experiment's folder like any other: the same command finds all of it done.
  await printed(["experiment", ...whole, "--threads", "1", "--out", "runs/x"]);
});

test("gaps, doubles, jobs of another run or other data are refused", async () => {
  const jobs = (...names: string[]) => names.map((name) => join("runs", "x", "jobs", name));
  const merging = (...folders: string[]) => refused("merge", ...folders, "--out", "none");
  const three = jobs("0-fdm", "0-cfm", "1-fdm");
  expect(await merging(...three)).toMatch(/jobs: got "3 of 4: 1\/cfm is missing".*--only 1\/cfm/);
  const copy = async (name: string, as: string) => {
    await cp(join("runs", "x", "jobs", name), as, { recursive: true });
    return as;
  };
  expect(await merging(...jobs("0-fdm"), await copy("0-fdm", "twice"))).toMatch(/twice.*job 0\/fdm, which .*0-fdm is/);
  const change = async (folder: string, file: string, from: string, to: string) => {
    const text = await read(folder, file);
    expect(text).toContain(from);
    await writeFile(join(folder, file), text.replace(from, to));
    return folder;
  };
  const other = await change(await copy("1-cfm", "other"), "experiment.json", '"steps": 60', '"steps": 61');
  expect(await merging(...three, other)).toMatch(/other: got "a job of another run, whose steps is 61, not 60"/);
  const backend = await change(await copy("1-cfm", "backend"), "experiment.json", '"wasm"', '"webgpu"');
  expect(await merging(...three, backend)).toMatch(/whose backend is webgpu, not wasm/);
  const version = await change(await copy("1-cfm", "version"), "job.json", '"divflow": "', '"divflow": "9.');
  expect(await merging(...three, version)).toMatch(/of divflow 9\./);
  const undone = await copy("1-cfm", "undone");
  await rm(join(undone, "job.json"));
  expect(await merging(...three, undone)).toMatch(/undone: got "a job that is not done"/);
  const data = await copy("1-cfm", "data");
  const [name = ""] = await readdir(join(data, "seed-1", "data"));
  await writeFile(join(data, "seed-1", "data", name), "other");
  expect(await merging(...three, data)).toMatch(/other data of the same seed/);
  expect(await merging(...three, "straight")).toMatch(/straight: got "no job of an experiment, beside some that are"/);
  expect(await refused("merge", ...three)).toMatch(/--out: got "nothing"/);
  expect(await readdir(".")).not.toContain("none");
});

test("what is no model of the plan is refused", async () => {
  const only = (given: string) => refused("experiment", ...whole, "--only", given, "--out", "none");
  expect(await only("2/fdm")).toMatch(/--only: got "2\/fdm".*one of 0, 1/);
  expect(await only("0/exact")).toMatch(/--only, its loss.*one of fdm, cfm/);
  expect(await only("fdm")).toMatch(/SEED\/LOSS/);
});
