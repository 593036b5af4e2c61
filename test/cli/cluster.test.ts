// examples/cluster: what the manifests' containers run, as pods of each index would, gives the whole's bits.
import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { root } from "../../.build/files.mjs";
import { useCli } from "./run.ts";

const cli = useCli();
const manifest = (name: string) => readFile(join(root, "examples", "cluster", "kubernetes", name), "utf8");

/** The shell's script of a manifest, with smaller numbers in place of some. */
async function scriptOf(name: string, ...changes: readonly (readonly [from: string, to: string])[]): Promise<string> {
  const text = await manifest(name);
  const block = /\n( +)- \|\n([\s\S]*?)(?=\n {10}\w)/.exec(text)?.[2] ?? /\n +- (exec .*)\n/.exec(text)?.[1] ?? "";
  let script = block.replace(/^ {14}/gm, "");
  for (const [from, to] of changes) {
    expect(script).toContain(from);
    script = script.replace(from, to);
  }
  return script;
}

/** As a pod has it: divflow on the path, the container's variables, the Job's index. */
async function pod(script: string, environment: Readonly<Record<string, string>>): Promise<void> {
  const path = `${cli.path("bin")}${delimiter}${process.env["PATH"]}`;
  const env = { ...process.env, PATH: path, DATA: cli.path("data"), ...environment };
  await promisify(execFile)("sh", ["-ceu", script], { env, cwd: cli.folder, timeout: 60_000 });
}

beforeAll(async () => {
  for (const folder of ["bin", "data"]) await mkdir(cli.path(folder), { recursive: true });
  const divflow = cli.path("bin", "divflow");
  await writeFile(divflow, `#!/bin/sh\nexec '${process.execPath}' '${cli.script}' "$@"\n`);
  await chmod(divflow, 0o755);
  const trained = await cli.run([
    "train",
    "moons",
    "--steps",
    "5",
    "--width",
    "8",
    "--backend",
    "wasm",
    "--out",
    "run",
  ]);
  expect(trained.code, trained.errors).toBe(0);
  await writeFile(cli.path("data", "model.safetensors"), await readFile(cli.path("run", "model.safetensors")));
}, 60_000);

test.skipIf(process.platform === "win32")("sample.yaml and merge.yaml", { timeout: 120_000 }, async () => {
  const text = await manifest("sample.yaml");
  expect(/PARTS\s+value: "(\d+)"/.exec(text)?.[1]).toBe(/completions: (\d+)/.exec(text)?.[1]);
  const part = await scriptOf("sample.yaml", ["--count 1000000", "--count 5000"]);
  for (const JOB_COMPLETION_INDEX of ["2", "0", "1"]) await pod(part, { JOB_COMPLETION_INDEX, PARTS: "3" });
  await pod(await scriptOf("merge.yaml"), {});
  const whole = ["sample", "data/model.safetensors", "--count", "5000", "--seed", "1", "--backend", "wasm"];
  expect((await cli.run([...whole, "--out", "whole.npy"])).code).toBe(0);
  expect(await readFile(cli.path("data", "samples.npy"))).toEqual(await readFile(cli.path("whole.npy")));
});

test.skipIf(process.platform === "win32")("experiment.yaml, its pods at once", { timeout: 120_000 }, async () => {
  const settings = "steps=60,width=8,layers=1,batch=32,points=64,grid=8,solver=4,validations=2";
  const listed = await cli.run(["experiment", "checkerboard", "--set", settings, "--backend", "wasm", "--jobs"]);
  await writeFile(cli.path("jobs.txt"), listed.output);
  const script = await scriptOf("experiment.yaml");
  const JOBS = cli.path("jobs.txt");
  await Promise.all(["0", "1"].map((JOB_COMPLETION_INDEX) => pod(script, { JOB_COMPLETION_INDEX, JOBS })));
  const merged = await cli.run(["merge", "data/runs/checkerboard-quick/jobs", "--out", "together"]);
  expect(merged.code, merged.errors).toBe(0);
  expect(merged.output).toMatch(/FDM/);
});
