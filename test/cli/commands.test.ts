/** What each command does and writes, as its users meet it. */
import { execFile } from "node:child_process";
import { readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { commandFor } from "../../.build/platforms/run.mjs";
import { skippedRuntimes } from "../../.build/runtimes.mjs";
import { readNpy, VERSION, writeNpy } from "../../src/index.ts";
import { withFullDisk } from "./ended-runs.ts";
import { type RunOptions, tiny, useCli } from "./run.ts";

const cli = useCli();

/** Runs what must succeed and gives its one JSON document. */
async function json(parameters: readonly string[], options?: RunOptions) {
  const { code, output, errors } = await cli.run([...parameters, "--json"], options);
  expect(code, errors).toBe(0);
  expect(output.endsWith("\n") && output.indexOf("\n") === output.length - 1).toBe(true);
  return JSON.parse(output);
}

const bytesOf = (...names: string[]) => readFile(cli.path(...names));

test("--version, --help and no argument", async () => {
  expect(await cli.run(["--version"])).toMatchObject({ code: 0, output: `${VERSION}\n` });
  expect(await cli.run(["--help"])).toMatchObject({ code: 0, output: expect.stringContaining("verify") });
  expect(await cli.run(["train", "--help"])).toMatchObject({ code: 0, output: expect.stringContaining("--loss") });
  expect((await cli.run([])).code).toBe(2);
});

describe("train", () => {
  test("writes the run folder, and going on from one gives the bits of an uninterrupted run", async () => {
    // The paper's learning rate depends on the step alone; the quick preset's also on how many there will be.
    const paper = ["train", "checkerboard", "--preset", "paper", ...tiny];
    const straight = await json([...paper, "--out", "straight", "--steps", "40"]);
    expect(straight).toMatchObject({ step: 40, interrupted: false });
    expect((await readdir(cli.path("straight"))).sort()).toEqual(["config.json", "metrics.jsonl", "model.safetensors"]);
    await json([...paper, "--out", "parts", "--steps", "25"]);
    const resume = ["--resume", "parts/model.safetensors", "--out", "parts", "--backend", "wasm", "--steps", "40"];
    expect((await json(["train", "checkerboard", ...resume])).step).toBe(40);
    expect(await bytesOf("parts", "model.safetensors")).toEqual(await bytesOf("straight", "model.safetensors"));
    expect(await bytesOf("parts", "metrics.jsonl")).toEqual(await bytesOf("straight", "metrics.jsonl"));
    const rows = (await readFile(cli.path("straight", "metrics.jsonl"), "utf8")).trim().split("\n");
    expect(rows.map((row) => JSON.parse(row).step)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
  });

  test("Ctrl-C saves first; the run goes on from there, bit for bit", async () => {
    const long = ["train", "moons", "--backend", "wasm", "--width", "64", "--preset", "paper", "--out", "stopped"];
    let sent = false;
    const { code, errors } = await cli.run(long, {
      watch: (_, child) => {
        if (!sent) setTimeout(() => child.kill("SIGINT"), 1500);
        sent = true;
      },
    });
    expect(code, errors).toBe(130);
    const { step } = await json([
      "train",
      "moons",
      "--resume",
      "stopped/model.safetensors",
      "--out",
      "stopped",
      "--backend",
      "wasm",
      "--steps",
      "1",
    ]);
    expect(step).toBeGreaterThan(0); // asked for fewer than it has: nothing more is trained
    const onwards = String(step + 10);
    await json([
      "train",
      "moons",
      "--resume",
      "stopped/model.safetensors",
      "--out",
      "resumed",
      "--backend",
      "wasm",
      "--steps",
      onwards,
    ]);
    await json([...long.slice(0, -1), "uninterrupted", "--steps", onwards]);
    expect(await bytesOf("resumed", "model.safetensors")).toEqual(await bytesOf("uninterrupted", "model.safetensors"));
  });

  test("a user's own points, of any dimension", async () => {
    const rows = Array.from({ length: 50 }, (_, i) => [i % 7, (i * i) % 11, i % 3].join(","));
    await writeFile(cli.path("points.csv"), `${rows.join("\n")}\n`);
    await json(["train", "points.csv", ...tiny, "--steps", "20", "--out", "points"]);
    const sampled = await json([
      "sample",
      "points/model.safetensors",
      "--count",
      "5",
      "--out",
      "p.npy",
      "--backend",
      "wasm",
    ]);
    expect(sampled).toMatchObject({ count: 5, dimension: 3, columns: 3 });
  });

  test("a full disk ends it cleanly: exit code 1, nothing half written", async () => {
    const node = withFullDisk("true");
    const { code, errors } = await cli.run(["train", "moons", ...tiny, "--steps", "20", "--out", "full"], { node });
    expect(errors).toMatch(/disk is full/);
    expect(code).toBe(1);
    expect(await readdir(cli.folder)).not.toContain("full");
  });
});

describe("a trained model", () => {
  test("sample, with log-densities; evaluate agrees with them", async () => {
    await json(["train", "checkerboard", ...tiny, "--steps", "20", "--out", "model"]);
    const common = ["--backend", "wasm", "--solver", "rk4", "--steps", "40"];
    const sampled = await json([
      "sample",
      "model/model.safetensors",
      "--count",
      "64",
      "--log-density",
      "--seed",
      "3",
      "--out",
      "s.npy",
      ...common,
    ]);
    expect(sampled).toMatchObject({ count: 64, dimension: 2, columns: 3, solver: "rk4" });
    const { data: values, shape } = readNpy(new Uint8Array(await bytesOf("s.npy")), "s.npy");
    expect(shape).toEqual([64, 3]);
    const points = Float32Array.from({ length: 128 }, (_, i) => values[3 * (i >> 1) + (i & 1)]);
    await writeFile(cli.path("points.npy"), writeNpy(points, [64, 2]));
    const judged = await json(["evaluate", "model/model.safetensors", "--data", "points.npy", ...common]);
    const mean = -Array.from({ length: 64 }, (_, i) => values[3 * i + 2]).reduce((sum, value) => sum + value) / 64;
    expect(judged.negativeLogLikelihood).toBeCloseTo(mean, 3);
    expect(judged.bitsPerDimension).toBeCloseTo(mean / (2 * Math.LN2), 3);
    expect(judged).toMatchObject({ count: 64, solver: "rk4", divergence: "exact", backend: "wasm" });
    expect(Object.keys(judged).sort()).toEqual([
      "backend",
      "bitsPerDimension",
      "count",
      "divergence",
      "negativeLogLikelihood",
      "solver",
      "standardError",
    ]);
  });

  test("the same seed gives the same file", async () => {
    await json(["train", "moons", ...tiny, "--steps", "20", "--out", "moons"]);
    for (const out of ["a.npy", "b.npy"]) {
      await json([
        "sample",
        "moons/model.safetensors",
        "--count",
        "10",
        "--seed",
        "5",
        "--out",
        out,
        "--backend",
        "wasm",
      ]);
    }
    expect(await bytesOf("a.npy")).toEqual(await bytesOf("b.npy"));
  });
});

describe("verify", () => {
  test("the cases that ship agree with the reference", async () => {
    const { backend, cases, refused } = await json(["verify", "--backend", "reference"]);
    expect(backend).toBe("reference");
    expect(cases).toHaveLength(6);
    expect(refused).toEqual([]);
    for (const { errors, ok } of cases) {
      expect(ok).toBe(true);
      for (const error of Object.values(errors)) expect(error).toBeLessThanOrEqual(1e-9);
    }
  });

  test("above the tolerance it exits with 1 and says which", async () => {
    const { code, output } = await cli.run(["verify", "--backend", "wasm", "--tolerance", "1e-12"]);
    expect(code).toBe(1);
    expect(output).toMatch(/^! cond-ot-silu\.json: DISAGREES, largest error \S+ \(\w+\)$/m);
    expect(output).toMatch(/^ {2}! velocity +\d\.\de-[78]$/m);
    expect(output).toMatch(/^6 of 6 cases DISAGREE\.$/m);
  });

  test("ops and networks agree, a quantity a line; what it does not know it says, and goes on", async () => {
    const fixture = (path: string) => fileURLToPath(new URL(`../${path}.json`, import.meta.url));
    await writeFile(cli.path("later.json"), '{"kind": "heat-kernel"}');
    const files = [fixture("ops/golden/film"), "later.json", fixture("networks/sit")];
    const { code, output, errors } = await cli.run(["verify", ...files, "--backend", "wasm"]);
    expect(output).toMatch(/^ {2}\S*film\.json: agrees, largest error \d\.\de-[78] \([\w.]+\)$/m);
    expect(output).toMatch(/^ {4}secondGrads\.tangents\.scale +\d\.\de-[78]$/m);
    expect(output).toMatch(/^ {4}grads\.blocks\.0\.attn\.qkv\.bias +\d\.\de-[78]$/m);
    expect(output).toMatch(/^All 2 cases agree: largest error \S+ \(.* of sit\.json\)\.$/m);
    expect(output).toMatch(/^1 of 3 files could not be run\.$/m);
    expect(errors).toMatch(/later\.json: kind: got "heat-kernel", .* this version of divflow knows: op, network/);
    expect(code).toBe(2);
  });
});

test("info lists the features", async () => {
  const { runtime, wasm } = await json(["info"]);
  expect(runtime.map(({ name }: { name: string }) => name)).toContain("node");
  expect(wasm.simd).toBe(true);
});

describe("the backend", () => {
  const noDriver = { VK_DRIVER_FILES: cli.path("no-driver.json"), VK_ICD_FILENAMES: cli.path("no-driver.json") };

  test("without a driver it is WASM, and one line says so, and info why", async () => {
    await json(["train", "moons", ...tiny, "--steps", "5", "--out", "any"]);
    const sample = ["sample", "any/model.safetensors", "--count", "2", "--out", "any.npy"];
    const { code, errors } = await cli.run(sample, { environment: noDriver });
    expect(errors).toBe("WebAssembly on the CPU: no GPU here (divflow info says why).\n");
    const { taken } = await json(["info"], { environment: noDriver });
    expect(taken).toMatch(/^WebAssembly on the CPU, as WebGPU has no GPU here: no adapter: [^\n]*[^.]\.$/);
    expect((await cli.run(["info"], { environment: noDriver })).output).toContain(`taken      ${taken}\n`);
    expect(code).toBe(0);
    const asked = await cli.run([...sample, "--backend", "webgpu"], { environment: noDriver });
    expect(asked.errors).toMatch(/^divflow: WebGPU in Node: got "no adapter: [^\n]*\n$/);
    expect(asked.code).toBe(2);
  });

  test.skipIf(skippedRuntimes().includes("node-webgpu"))(
    "an adapter of Dawn is used, or not for a reason",
    async () => {
      const { environment } = await commandFor("node-webgpu");
      const asked = await cli.run(["verify", "--backend", "webgpu"], { environment });
      expect(asked).toMatchObject({ code: 0, errors: "WebGPU, as asked.\n" });
      expect(asked.output).toMatch(/All 6 cases agree/);
      const { adapters, taken } = await json(["info"], { environment });
      expect(adapters).toHaveLength(1);
      const software = await cli.run(["verify"], { environment });
      expect(software.errors).toBe("WebAssembly on the CPU: no GPU here (divflow info says why).\n");
      expect(taken).toMatch(/^WebAssembly on the CPU, [^\n]* runs on the CPU \(SwiftShader[^\n]*$/);
      expect(software.code).toBe(0);
    },
    180_000, // four processes, three of which compile on a CPU that other tests use too
  );
});

test("a closed pipe ends it without a word", async () => {
  const { code, errors } = await cli.run(["info"], { closeOutput: true });
  expect({ code, errors }).toEqual({ code: 0, errors: "" });
});

test("Ctrl-C ends what saves nothing with 130 too", async () => {
  await json(["train", "moons", ...tiny, "--steps", "5", "--out", "endless"]);
  const sample = ["sample", "endless/model.safetensors", "--count", "200000", "--solver", "rk4", "--steps", "100000"];
  const { code, errors } = await cli.run([...sample, "--backend", "wasm", "--out", "endless.npy"], {
    watch: (said, child) => {
      if (said.endsWith("asked.\n")) setTimeout(() => child.kill("SIGINT"), 500);
    },
  });
  expect({ code, errors }).toEqual({
    code: 130,
    errors: expect.stringMatching(/divflow: stopped before the end\.\n$/),
  });
  expect(await readdir(cli.folder)).not.toContain("endless.npy");
});

test("an output that is a link stays one", async () => {
  await json(["train", "moons", ...tiny, "--steps", "5", "--out", "linked"]);
  await writeFile(cli.path("target.npy"), "");
  await symlink("target.npy", cli.path("link.npy"));
  await json(["sample", "linked/model.safetensors", "--count", "4", "--backend", "wasm", "--out", "link.npy"]);
  expect(await readlink(cli.path("link.npy"))).toBe("target.npy");
  expect(readNpy(new Uint8Array(await bytesOf("target.npy")), "target.npy").shape).toEqual([4, 2]);
});

test("an output that is a pipe is written to", async () => {
  await json(["train", "moons", ...tiny, "--steps", "5", "--out", "piped"]);
  await promisify(execFile)("mkfifo", [cli.path("pipe")]);
  const sample = json(["sample", "piped/model.safetensors", "--count", "4", "--backend", "wasm", "--out", "pipe"]);
  const [bytes] = await Promise.all([bytesOf("pipe"), sample]);
  expect(readNpy(new Uint8Array(bytes), "pipe").shape).toEqual([4, 2]);
});

test("a resumed run ends at its own number of steps, and its config keeps what it was made with", async () => {
  await json(["train", "moons", ...tiny, "--steps", "10", "--out", "kept"]);
  const resume = ["train", "moons", "--resume", "kept/model.safetensors", "--out", "kept", "--backend", "wasm"];
  expect((await json(resume)).step).toBe(10);
  expect((await json([...resume, "--steps", "15"])).step).toBe(15);
  const config = JSON.parse(await readFile(cli.path("kept", "config.json"), "utf8"));
  expect(config).toMatchObject({ data: "moons", steps: 15, batchSize: 16, resumed: { step: 10 } });
});

test("a run that is asked for no step more is left as it is, and that is said once", async () => {
  await json(["train", "moons", ...tiny, "--steps", "15", "--out", "past"]);
  const config = await readFile(cli.path("past", "config.json"), "utf8");
  await writeFile(cli.path("past", "config.json"), JSON.stringify({ ...JSON.parse(config), steps: 3000 }));
  const names = ["config.json", "metrics.jsonl", "model.safetensors"];
  const files = () =>
    Promise.all(
      names.map(async (name) => ({
        inode: (await stat(cli.path("past", name))).ino,
        bytes: await bytesOf("past", name),
      })),
    );
  const before = await files();
  const resume = ["train", "moons", "--resume", "past/model.safetensors", "--out", "past", "--backend", "wasm"];
  const { code, output, errors } = await cli.run([...resume, "--steps", "5"]);
  expect(output).toMatch(
    /^Nothing to train, nothing written: the file is at step 15 already, --steps 5 counts all\. --steps 20 trains 5 more\.\n$/,
  );
  expect(errors).not.toContain("Nothing");
  expect(code).toBe(0);
  expect(await files()).toEqual(before);
});

test("compare writes a report that stands alone", async () => {
  const parameters = ["compare", "checkerboard", ...tiny, "--steps", "20", "--points", "64", "--out", "compared"];
  const { results, truth, differences, costRatios } = await json(parameters);
  expect(results.map(({ name }: { name: string }) => name)).toEqual(["cfm", "fdm", "cfm-seconds"]);
  const [cfm, fdm, long] = results;
  expect(costRatios).toEqual([{ seed: 0, ratio: expect.any(Number) }]);
  expect(long.steps).toBe(Math.max(1, Math.round(20 * costRatios[0].ratio)));
  expect(differences.map(({ against, equal }: { against: string; equal: string }) => [against, equal])).toEqual([
    ["cfm", "steps"],
    ["cfm-seconds", "seconds"],
  ]);
  expect(differences[0].mean).toBeCloseTo(fdm.negativeLogLikelihood - cfm.negativeLogLikelihood, 10);
  expect(differences[0].standardError).toBeLessThan(Math.hypot(fdm.standardError, cfm.standardError));
  expect(truth).toBeCloseTo(Math.log(8 / 0.45 ** 2), 10);
  const html = await readFile(cli.path("compared", "report.html"), "utf8");
  expect(html.match(/<img src="data:image\/png;base64,/g)).toHaveLength(4);
  expect(html).not.toMatch(/(src|href)="(?!data:|#)/);
  for (const name of ["cfm", "fdm", "cfm-seconds"]) {
    const folder = await readdir(cli.path("compared", name));
    expect(folder.sort()).toEqual(["config.json", "metrics.jsonl", "model.safetensors", "samples.npy"]);
    const points = readNpy(new Uint8Array(await bytesOf("compared", name, "samples.npy")), name);
    expect(points.shape).toEqual([64, 2]);
  }
});

test("--force overwrites a run; npm start has it, so that it can be run again", async () => {
  const small = ["train", "moons", ...tiny, "--steps", "5", "--out", "again"];
  await json(small);
  const first = await bytesOf("again", "model.safetensors");
  expect((await cli.run([...small, "--seed", "1"])).code).toBe(2);
  expect(await bytesOf("again", "model.safetensors")).toEqual(first);
  await json([...small, "--seed", "1", "--force"]);
  expect(await bytesOf("again", "model.safetensors")).not.toEqual(first);
  const { scripts } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  expect(scripts.start).toMatch(/compare .*--force/);
});

test("compare over seeds tells how much they differ", async () => {
  const parameters = [
    "compare",
    "moons",
    ...tiny,
    "--steps",
    "10",
    "--points",
    "32",
    "--seeds",
    "3",
    "--seed",
    "4",
    "--equal",
    "steps",
  ];
  const { results, summary } = await json([...parameters, "--out", "seeds"]);
  expect(results.map(({ name, seed }: { name: string; seed: number }) => `${name} ${seed}`)).toEqual(
    [4, 5, 6].flatMap((seed) => [`cfm ${seed}`, `fdm ${seed}`]),
  );
  expect((await readdir(cli.path("seeds"))).sort()).toEqual([
    ...["densities.png", "report.html"],
    ...["seed-4", "seed-5", "seed-6"],
  ]);
  const values: number[] = results.flatMap((one: { name: string; negativeLogLikelihood: number }) =>
    one.name === "fdm" ? one.negativeLogLikelihood : [],
  );
  const mean = (values[0] + values[1] + values[2]) / 3;
  const { negativeLogLikelihood } = summary[1];
  expect(negativeLogLikelihood.mean).toBeCloseTo(mean, 12);
  const squares = values.map((value) => (value - mean) ** 2);
  expect(negativeLogLikelihood.deviation).toBeCloseTo(Math.sqrt((squares[0] + squares[1] + squares[2]) / 2), 12);
});

test("bench prints the machine and a row for each measurement, with the losses that show it is right", async () => {
  const few = ["bench", "--only", "fdm", "--width", "64", "--backend", "wasm", "--threads", "1", "--simd", "plain"];
  const { machine, rows } = await json([...few, "--seconds", "0.05"]);
  expect(machine.cores).toBeGreaterThan(0);
  expect(rows.map(({ workload }: { workload: string }) => workload)).toEqual(["fdm", "fdm-full", "fraction-full"]);
  const [given] = rows;
  expect(given).toMatchObject({ width: 64, batch: 512, backend: "wasm", runtime: "node", threads: 1, relaxed: false });
  expect(given.lossBefore).toBeCloseTo(9.4148, 3);
  expect(given.lossAfter).toBeCloseTo(9.34209, 3);
  for (const name of ["ms", "best", "gflops"]) expect(given[name], name).toBeGreaterThan(0);
});
