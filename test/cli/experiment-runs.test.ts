/** Experiments as their users meet them: killed at any moment they go on, to the same records; and what is refused. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { factsIn } from "../../src/cli/model-facts.ts";
import { readNpy } from "../../src/index.ts";
import { patched } from "./ended-runs.ts";
import { type RunOptions, useCli } from "./run.ts";

const cli = useCli();
const small = ["--backend", "wasm", "--threads", "1", "--set"];
const settings = "steps=400,width=16,layers=2,batch=64,points=256,grid=24,solver=10,validations=2";
const checkerboard = (out: string, ...more: string[]) => {
  return ["experiment", "checkerboard", ...small, settings, "--out", out, ...more];
};
const read = (...names: string[]) => readFile(cli.path(...names));
const resultsOf = async (out: string) => JSON.parse((await read(out, "results.json")).toString());

/** What is to have equal bits: all but what the clock said. */
async function records(out: string, seeds: number, losses: readonly string[]): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (let seed = 0; seed < seeds; seed++) {
    for (const loss of losses) {
      for (const file of ["record.json", "model.safetensors", "metrics.jsonl", "samples.npy", "config.json"]) {
        found[`${seed} ${loss} ${file}`] = (await read(out, `seed-${seed}`, loss, file)).toString("base64");
      }
    }
  }
  return found;
}

test("killed at several moments, a run goes on to the records of one that was not", { timeout: 120_000 }, async () => {
  const straight = await cli.run(checkerboard("straight", "--seeds", "2"));
  expect(straight.code, straight.errors).toBe(0);
  const expected = await records("straight", 2, ["cfm", "fdm"]);

  // Before a file of each kind takes its place, where a crash would do the most harm: the process kills itself.
  const kills = ["cfm/config.json", "cfm/model.safetensors", "cfm/trained.json", "cfm/samples.npy", "cfm/record.json"];
  for (const file of [...kills, "fdm/density.npy", "seed-1/cfm/times.csv"]) {
    const { code, errors } = await cli.run(checkerboard("killed", "--seeds", "2"), before(file, "SIGKILL"));
    expect([null, 137], `${file}: ${errors}`).toContain(code);
  }
  // Asked to end just before a training, which is not begun then.
  const asked = await cli.run(checkerboard("killed", "--seeds", "2"), before("fdm/times.csv", "SIGTERM"));
  expect(asked.code, asked.errors).toBe(130);
  expect(await stepOf("killed", "seed-1", "fdm")).toBe(0);
  const whole = await cli.run(checkerboard("killed", "--seeds", "2"));
  expect(whole.code, whole.errors).toBe(0);
  expect(await records("killed", 2, ["cfm", "fdm"])).toEqual(expected);

  const [a, b] = [await resultsOf("straight"), await resultsOf("killed")];
  const timeless = ({ seconds: _, ...rest }: Record<string, unknown>) => rest;
  expect(b.results.map(timeless)).toEqual(a.results.map(timeless));
  expect(b.differences).toEqual(a.differences);
});

const stepOf = async (...names: string[]) => factsIn(await read(...names, "model.safetensors"))?.["step"] as number;

const atFirstReport: RunOptions = {
  node: patched(`import fs from "node:fs"; import { syncBuiltinESMExports } from "node:module";
    const { appendFileSync } = fs;
    fs.appendFileSync = (...given) => {
      appendFileSync(...given);
      process.kill(process.pid, "SIGTERM");
    };
    syncBuiltinESMExports();`),
};

/** Options of a Node that gets a signal when a file whose path has these words is about to take its place. */
function before(words: string, signal: "SIGKILL" | "SIGTERM"): RunOptions {
  const script = `import fs from "node:fs/promises"; import { syncBuiltinESMExports } from "node:module";
    const { rename } = fs;
    fs.rename = async (from, to) => {
      if (String(to).replaceAll("\\\\", "/").includes(${JSON.stringify(words)})) process.kill(process.pid, "${signal}");
      return rename(from, to);
    };
    syncBuiltinESMExports();`;
  return { node: patched(script) };
}

test("Ctrl-C in a training saves it and says how to go on, which gives equal bits", { timeout: 120_000 }, async () => {
  // Of a second or two: reports come a few times in each, and the first has to come long before the end.
  const longer = (out: string) => {
    const own = settings.replace("steps=400,width=16,layers=2,batch=64", "steps=4000,width=32,layers=3,batch=256");
    return checkerboard(out, "--losses", "fdm").map((one) => (one === settings ? own : one));
  };
  const { code, errors } = await cli.run(longer("stopped"), atFirstReport);
  expect(code, errors).toBe(130);
  expect(errors).toMatch(/Interrupted\. What is done is kept in stopped\. To go on: divflow experiment checkerboard/);
  const step = await stepOf("stopped", "seed-0", "fdm");
  expect(step).toBeGreaterThan(0);
  expect(step).toBeLessThan(4000);
  for (const out of ["stopped", "unstopped"]) expect((await cli.run(longer(out))).code).toBe(0);
  expect(await records("stopped", 1, ["fdm"])).toEqual(await records("unstopped", 1, ["fdm"]));
  const times = (await read("stopped", "seed-0", "fdm", "times.csv")).toString().trim().split("\n").slice(1);
  const [steps, seconds] = [0, 1].map((column) => times.map((line) => Number(line.split(",")[column])));
  for (const rising of [steps, seconds] as number[][]) expect(rising).toEqual([...rising].sort((a, b) => a - b));
  expect(steps?.at(-1)).toBe(4000);
});

test("CFM for FDM's seconds has steps of its own, also beside validations", { timeout: 60_000 }, async () => {
  const losses = ["cfm", "fdm", "cfm-seconds"];
  const { code, errors } = await cli.run(checkerboard("seconds", "--losses", losses.join(",")));
  expect(code, errors).toBe(0);
  const steps = await Promise.all(losses.map((loss) => stepOf("seconds", "seed-0", loss)));
  expect(steps.slice(0, 2)).toEqual([400, 400]);
  const kept = readNpy(new Uint8Array(await read("seconds", "seed-0", "cfm-seconds", "steps-for-seconds.npy")));
  expect(steps[2]).toBe(Math.round(400 * (kept.data[0] as number)));
  // The same command finds all of it done, by the ratio that was measured once.
  expect((await cli.run(checkerboard("seconds", "--losses", losses.join(",")))).code).toBe(0);
  expect(await stepOf("seconds", "seed-0", "cfm-seconds")).toBe(steps[2]);
});

test("a suggested weight is kept and trained with, a map samples in one step, its field's training counts", {
  timeout: 120_000,
}, async () => {
  const losses = ["cfm", "suggested", "weight-0.03", "map"];
  const { code, errors, output } = await cli.run(checkerboard("ways", "--losses", losses.join(",")));
  expect(code, errors).toBe(0);
  const kept = readNpy(new Uint8Array(await read("ways", "seed-0", "suggested", "suggested-weight.npy")));
  const config = async (loss: string) => JSON.parse((await read("ways", "seed-0", loss, "config.json")).toString());
  expect(kept.data[0]).toBeGreaterThan(0.01);
  expect((await config("suggested")).loss.options.divergence).toBe(kept.data[0]);
  expect((await config("weight-0.03")).loss.options.divergence).toBe(0.03);
  const { results } = await resultsOf("ways");
  const [cfm, , , map] = results as { steps: number; seconds: number; metrics: Record<string, { value: number }> }[];
  expect([cfm?.steps, map?.steps]).toEqual([400, 800]);
  const field = JSON.parse((await read("ways", "seed-0", "map", "field", "trained.json")).toString());
  const own = JSON.parse((await read("ways", "seed-0", "map", "trained.json")).toString());
  expect(map?.seconds).toBeCloseTo(field.seconds + own.seconds, 9);
  // One evaluation of a velocity does not make the data; a map's samples are those of one evaluation.
  const { oneStep, slicedWasserstein, headOff, exactOff } = map?.metrics ?? {};
  expect(oneStep?.value).toBe(slicedWasserstein?.value);
  expect(oneStep?.value).toBeLessThan(0.7 * (cfm?.metrics["oneStep"]?.value as number));
  for (const off of [headOff, exactOff]) expect(off?.value).toBeGreaterThan(0);
  expect(cfm?.metrics["headOff"]).toBeUndefined();
  expect(output).toMatch(/^measure +CFM +FDM, suggested weight +FDM, weight 0\.03 +One-step map$/m);
  for (const line of output.split("\n")) if (line.startsWith("  ")) expect(line.length).toBeLessThan(48);
});

test("a folder of other settings is refused in a sentence, and begun anew when asked", {
  timeout: 60_000,
}, async () => {
  const first = await cli.run(checkerboard("folder", "--losses", "cfm"));
  expect(first.code, first.errors).toBe(0);
  const results = await read("folder", "results.json");
  const other = checkerboard("folder", "--losses", "cfm").map((one) => one.replace("steps=400", "steps=300"));
  const refused = await cli.run(other);
  expect(refused.code).toBe(2);
  expect(refused.errors).toMatch(/a folder of another run, whose steps is 400, not 300/);
  expect((await cli.run(checkerboard("folder", "--data", "moons"))).errors).toMatch(
    /whose input is checkerboard, not moons/,
  );
  expect(await read("folder", "results.json")).toEqual(results);

  // What there is is not trained again where another loss joins it.
  const model = await read("folder", "seed-0", "cfm", "model.safetensors");
  const joined = await cli.run(checkerboard("folder"));
  expect(joined.code, joined.errors).toBe(0);
  expect(await read("folder", "seed-0", "cfm", "model.safetensors")).toEqual(model);
  expect((await resultsOf("folder")).losses).toEqual(["cfm", "fdm"]);

  const anew = await cli.run([...other, "--force"]);
  expect(anew.code, anew.errors).toBe(0);
  expect(await readdir(cli.path("folder", "seed-0"))).not.toContain("fdm");

  const compared = await cli.run(["experiment", "--compare", "folder", "straight", "--out", "both"]);
  expect(compared.code, compared.errors).toBe(0);
  expect(compared.output).toMatch(/steps +300 +400/);
  expect((await read("both", "side-by-side.html")).toString()).toMatch(/two runs/);

  const html = (await read("straight", "report.html")).toString();
  expect(html).toMatch(/one seed|more than chance|equal/);
  for (const words of [
    "2.38e-2",
    "Beside the paper",
    "95 % interval",
    "seconds of training",
    "Negative log-likelihood, held out, by time",
    "<svg",
    "not 4 of 512",
  ]) {
    expect(html).toContain(words);
  }
  expect(html).not.toMatch(/NaN|undefined|Infinity|https?:|<script/);
});

test("a folder that holds a run of another command is refused", async () => {
  await writeFile(cli.path("model.safetensors"), "");
  const { code, errors } = await cli.run(checkerboard("."));
  expect(code).toBe(2);
  expect(errors).toMatch(/holds a run \(model\.safetensors\)/);
});

test("the list, and what is no experiment", async () => {
  expect((await cli.run(["experiment"])).output).toMatch(/checkerboard +densities/);
  const { experiments } = { experiments: JSON.parse((await cli.run(["experiment", "--json"])).output) };
  expect(experiments[0]).toMatchObject({ name: "checkerboard", presets: { paper: { settings: { width: 512 } } } });
  expect((await cli.run(["experiment", "chekerboard"])).errors).toMatch(/Did you mean checkerboard\?/);
  expect((await cli.run(["experiment", "checkerboard", "--losses", "cfm,cfm"])).errors).toMatch(/cfm twice/);
  expect((await cli.run(["experiment", "checkerboard", "--data", "iris.csv"])).errors).toMatch(
    /--data of checkerboard/,
  );
  expect((await cli.run(["experiment", "--seeds", "3"])).errors).toMatch(/--seeds: got "without an experiment"/);
});
