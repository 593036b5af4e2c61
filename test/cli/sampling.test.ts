// What `sample` and `evaluate` do beyond plain samples: flow maps in a few steps, given starts, more samples than memory is for.
import { spawn } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { type ResultArray, writePieces } from "../../src/cli/results.ts";
import { readSolver } from "../../src/cli/solver.ts";
import { readCsv, readNpy, readNpz, writeCsv, writeNpy } from "../../src/data.ts";
import { flowMap, flowMapConsistency, flowMapSteps, meanFlow, optimalTransport } from "../../src/flows.ts";
import {
  arrayData,
  cfm,
  condOT,
  createRuntime,
  createTrainer,
  eightGaussians,
  euler,
  type LoadOptions,
  load,
  type Model,
  mlp,
  moons,
  type SampleOptions,
  type TrainerOptions,
} from "../../src/index.ts";
import { useCli } from "./run.ts";

const cli = useCli();
const bytesOf = async (name: string) => new Uint8Array(await readFile(cli.path(name)));

/** Trains by the library, a few steps: what the command cannot train. */
async function save(
  file: string,
  options: Pick<TrainerOptions, "network" | "loss" | "data"> & Partial<TrainerOptions>,
) {
  const runtime = await createRuntime({ backend: "wasm", threads: 1 });
  const trainer = await createTrainer(runtime, { path: condOT(), batchSize: 16, ...options });
  for await (const _ of trainer.run({ steps: 20 }));
  await writeFile(cli.path(file), await trainer.model.checkpoint());
  runtime.dispose();
}

/** What the library samples of a file. */
async function sampled(file: string, options: SampleOptions, given: LoadOptions = {}) {
  const runtime = await createRuntime({ backend: "wasm", threads: 1 });
  const model: Model = await load(runtime, await bytesOf(file), given);
  const samples = await model.sample(options);
  runtime.dispose();
  return samples;
}

async function succeed(parameters: readonly string[]) {
  const ended = await cli.run([...parameters, "--backend", "wasm", "--threads", "1"]);
  expect(ended.code, ended.errors).toBe(0);
  return ended;
}

async function refused(parameters: readonly string[]): Promise<string> {
  const before = await readdir(cli.folder);
  const { code, output, errors } = await cli.run([...parameters, "--backend", "wasm"]);
  expect({ code, output }, errors).toEqual({ code: 2, output: "" });
  expect(await readdir(cli.folder)).toEqual(before);
  return errors;
}

const small = () => mlp({ dimension: 2, hidden: [8] });

beforeAll(async () => {
  await mkdir(cli.folder, { recursive: true });
  const map = (reverse: boolean) => flowMap({ network: mlp({ dimension: 3, hidden: [8] }), reverse });
  await save("map", { network: map(true), loss: meanFlow(), data: moons() });
  await save("forth", { network: map(false), loss: meanFlow(), data: moons() });
  const headless = flowMap({ network: mlp({ dimension: 3, hidden: [8] }), divergence: false });
  await save("headless", { network: headless, loss: meanFlow(), data: moons() });
  await save("plain", { network: small(), loss: cfm(), data: moons() });
  await save("carried", {
    network: small(),
    loss: cfm(),
    start: eightGaussians(),
    data: moons(),
    coupling: optimalTransport(),
  });
  const rows = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i));
  await save("rows", { network: small(), loss: cfm(), start: arrayData(rows, [20, 2]), data: moons() });
  await writeFile(cli.path("two.npy"), writeNpy(Float32Array.of(0.5, -1, 0.25, 2), [2, 2]));
}, 60_000);

describe("flow maps", () => {
  test.each([
    ["without --steps, in one", [], {}],
    ["in two", ["--steps", "2"], { steps: 2 }],
    ["in four, with exact log-densities", ["--steps", "4", "--density", "exact"], { steps: 4, density: "exact" }],
  ] as const)("are sampled %s, to the library's bits", async (_, given, options) => {
    const asked = ["sample", "map", "--count", "9", "--seed", "3", "--solver", "flow-map", "--log-density", ...given];
    await succeed([...asked, "--force", "--out", "map.npz"]);
    const wanted = await sampled("map", { count: 9, seed: 3, solver: flowMapSteps(options), logDensity: true });
    const arrays = await readNpz(await bytesOf("map.npz"), "map.npz");
    expect(arrays.get("samples")?.data).toEqual(wanted.values);
    expect(arrays.get("log_density")?.data).toEqual(wanted.logDensity?.values);
  });

  test("made for the way back, they judge points in a few steps", async () => {
    const asked = ["evaluate", "map", "--data", "two.npy", "--solver", "flow-map", "--steps", "2", "--json"];
    const runtime = await createRuntime({ backend: "wasm", threads: 1 });
    const model = await load(runtime, await bytesOf("map"));
    for (const density of ["head", "exact"] as const) {
      const document = JSON.parse((await succeed([...asked, "--density", density])).output);
      const { values } = await model.logDensity([0.5, -1, 0.25, 2], { solver: flowMapSteps({ steps: 2, density }) });
      expect(document.negativeLogLikelihood).toBeCloseTo(-((values[0] as number) + (values[1] as number)) / 2, 12);
      expect(document).toMatchObject({ solver: "flow-map", steps: 2, density });
      expect(document).not.toHaveProperty("divergence");
    }
    runtime.dispose();
  });

  test("are held against themselves, and against a set's density, as the library does", async () => {
    const asked = ["--consistency", "1,2", "--count", "40", "--seed", "3"];
    const { output } = await succeed(["evaluate", "map", ...asked, "--data", "eight-gaussians", "--json"]);
    const runtime = await createRuntime({ backend: "wasm", threads: 1 });
    const data = eightGaussians();
    const closed = (points: ArrayLike<number>) =>
      Array.from({ length: 40 }, (_, i) => data.logDensity?.([points[2 * i], points[2 * i + 1]] as number[]) ?? 0);
    const given = { steps: [1, 2], count: 40, seed: 3 };
    const known = await flowMapConsistency(await load(runtime, await bytesOf("map")), { ...given, closed });
    const own = await flowMapConsistency(await load(runtime, await bytesOf("headless")), {
      ...given,
      densities: ["exact"],
    });
    runtime.dispose();
    const results = (all: typeof known) => all.map(({ steps, errors, folded }) => ({ steps, errors, folded }));
    expect(JSON.parse(output)).toMatchObject({ count: 40, seed: 3, solver: "dopri5", results: results(known) });
    const { output: headless } = await succeed(["evaluate", "headless", ...asked, "--json"]);
    expect(JSON.parse(headless).results).toEqual(results(own));
    const { output: table } = await succeed(["evaluate", "headless", ...asked]);
    const mean = own[1]?.errors.exact?.flow?.mean.toFixed(4);
    expect(table).toMatch(/^steps +exact from flow +folded\n1 /);
    expect(table).toMatch(new RegExp(`\n2 +${mean} ± [\\d.]+ +${own[1]?.folded}\n`));
  });

  test.each([
    [["evaluate", "map"], /--data: got "nothing", expected a file of points.*--consistency 1,2,4/],
    [["evaluate", "map", "--consistency", "1,x"], /--consistency: got "x"/],
    [["evaluate", "plain", "--consistency", "1"], /no flow map's/],
    [["evaluate", "map", "--consistency", "1", "--data", "two.npy"], /--data: got "two.npy beside --consistency"/],
    [["evaluate", "map", "--consistency", "1", "--data", "checkerboard"], /--data beside --consistency: got "values/],
    [["evaluate", "map", "--consistency", "1", "--out", "x.csv"], /--out x.csv: got "beside --consistency 1"/],
    [["evaluate", "map", "--data", "two.npy", "--count", "3"], /--count 3: got "without --consistency"/],
    [["sample", "plain", "--out", "x.npy", "--solver", "flow-map"], /no flow map's.*Take --solver dopri5 or another/],
    [["sample", "map", "--out", "x.npy", "--solver", "flow-map", "--steps", "2000"], /--steps: got 2000.*1 to 1024/],
    [["sample", "map", "--out", "x.npy", "--solver", "flow-map", "--grid", "cosine"], /--grid cosine.*of equal length/],
    [["sample", "map", "--out", "x.npy", "--solver", "flow-map", "--density", "exact"], /without --log-density/],
    [["sample", "map", "--out", "x.npy", "--log-density", "--density", "exact"], /default --solver dopri5/],
    [["evaluate", "map", "--data", "two.npy", "--solver", "flow-map", "--divergence", "exact"], /those of --density/],
    [["evaluate", "forth", "--data", "two.npy", "--solver", "flow-map"], /a start s after the end e.*--solver dopri5/],
  ])("refused: %j", async (parameters, sentence) => {
    expect(await refused(parameters)).toMatch(sentence);
  });
});

describe("starts", () => {
  test("of a file lead to a sample each", async () => {
    await succeed(["sample", "rows", "--start", "two.npy", "--out", "carried.npy", "--force"]);
    const wanted = await sampled("rows", { start: [0.5, -1, 0.25, 2] });
    expect(readNpy(await bytesOf("carried.npy")).data).toEqual(wanted.values);
  });

  test("of a set by name are drawn by the seed; the model's own are what it takes by itself", async () => {
    const asked = ["sample", "carried", "--count", "6", "--seed", "4", "--force", "--out"];
    await succeed([...asked, "own.csv"]);
    await succeed([...asked, "named.csv", "--start", "eight-gaussians"]);
    expect(await bytesOf("named.csv")).toEqual(await bytesOf("own.csv"));
    await succeed([...asked, "other.csv", "--start", "checkerboard"]);
    expect(await bytesOf("other.csv")).not.toEqual(await bytesOf("own.csv"));
  });

  test("columns of the data's names are found by these", async () => {
    const data = arrayData(
      Float64Array.from({ length: 40 }, (_, i) => Math.cos(i)),
      [20, 2],
      { columns: ["a", "b"] },
    );
    await save("named", { network: small(), loss: cfm(), start: moons(), data });
    await writeFile(cli.path("swapped.csv"), "b,c,a\n-1,7,0.5\n2,8,0.25\n");
    const { errors } = await succeed(["sample", "named", "--start", "swapped.csv", "--out", "swapped.npy"]);
    expect(errors).toContain("swapped.csv: columns are taken by the names of the data.");
    const wanted = await sampled("named", { start: [0.5, -1, 0.25, 2] });
    expect(readNpy(await bytesOf("swapped.npy")).data).toEqual(wanted.values);
  });

  test.each([
    [["sample", "rows", "--out", "x.npy"], /start of sample.*Give --start FILE/],
    [["sample", "plain", "--out", "x.npy", "--start", "two.npy"], /--start: got "points".*starts from noise/],
    [
      ["sample", "rows", "--out", "x.npy", "--start", "two.npy", "--count", "3"],
      /--count: got "3 beside --start two.npy"/,
    ],
    [["sample", "rows", "--out", "x.npy", "--start", "mons"], /--start.*Did you mean moons/],
    [["sample", "rows", "--out", "two.npy", "--start", "two.npy"], /the file that is read, two.npy/],
    [["sample", "rows", "--out", "x.npy", "--start", "wide.csv"], /--start wide.csv.*rows of 3 numbers.*rows of 2/],
  ])("refused: %j", async (parameters, sentence) => {
    await writeFile(cli.path("wide.csv"), "1,2,3\n4,5,6\n");
    expect(await refused(parameters)).toMatch(sentence);
  });
});

test.each([
  [{}, { kind: "sigma", strength: 1 }],
  [
    { diffusion: "0.5", "diffusion-kind": "reverse" },
    { kind: "reverse", strength: 0.5 },
  ],
  [
    { diffusion: "0.25", "diffusion-kind": "constant" },
    { kind: "table", values: [0.5, 0.5] },
  ],
])("noise on the way by %j", (given, diffusion) => {
  const common = { solver: "euler-maruyama", steps: "7", grid: "uniform", tolerance: "1e-5" };
  expect(readSolver({ ...common, ...given }).options).toEqual({ steps: 7, diffusion });
});

describe("many samples", () => {
  const many = ["sample", "plain", "--solver", "euler", "--steps", "1", "--seed", "2"];

  test("are written as they come, the very bits of all at once, log-densities and what they are told beside them", async () => {
    // More than are solved at once, and more than a piece: 2^18 numbers.
    const count = 140_000;
    const asked = [...many, "--count", String(count), "--out"];
    await succeed([...asked, "many.npy"]);
    const { data, shape } = readNpy(await bytesOf("many.npy"));
    expect(shape).toEqual([count, 2]);
    const wanted = await sampled("plain", { count, seed: 2, solver: euler({ steps: 1 }) });
    expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from(wanted.values.buffer))).toBe(0);
  }, 60_000);

  test("a table has one line of names, and .npy, .csv and .npz say the same", async () => {
    const asked = [...many, "--count", "5000", "--log-density", "--force", "--out"];
    for (const file of ["some.npy", "some.csv", "some.npz"]) await succeed([...asked, file]);
    const { data, shape } = readNpy(await bytesOf("some.npy"));
    expect(shape).toEqual([5000, 3]);
    expect([...readCsv(await bytesOf("some.csv"), "some.csv").values]).toEqual([...data]);
    const arrays = await readNpz(await bytesOf("some.npz"), "some.npz");
    const row = (i: number) => [
      ...(arrays.get("samples")?.data.slice(2 * i, 2 * i + 2) ?? []),
      arrays.get("log_density")?.data[i],
    ];
    expect(Array.from({ length: 5000 }, (_, i) => row(i)).flat()).toEqual([...data]);
    expect(new TextDecoder().decode(writeCsv(data, shape, ["x0", "x1", "log_density"]))).toBe(
      new TextDecoder().decode(await bytesOf("some.csv")),
    );
  });

  test("pieces follow one another: one line of names, one header", async () => {
    const piece = (values: number[], texts: string[]): ResultArray[] => [
      { name: "samples", values: Float32Array.from(values), shape: [texts.length, 2], columns: ["a", "b"] },
      {
        name: "kind",
        values: new Float64Array(texts.length),
        shape: [texts.length],
        columns: ["kind"],
        texts,
        isTold: true,
      },
    ];
    const pieces = [piece([1, 2, 3, 4], ["ape", "b,c"]), piece([5, 6], ["ape"])];
    const to = <Of extends "csv" | "npy">(format: Of) => ({
      path: cli.path(`pieces.${format}`),
      format,
      standardOutput: false,
    });
    await writePieces(to("csv"), 3, pieces);
    expect(await readFile(cli.path("pieces.csv"), "utf8")).toBe('a,b,kind\n1,2,ape\n3,4,"b,c"\n5,6,ape\n');
    await writePieces(to("npy"), 3, pieces);
    expect(await bytesOf("pieces.npy")).toEqual(writeNpy(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]));
  });

  test("Ctrl-C on the way leaves nothing behind, and what was there", async () => {
    await writeFile(cli.path("kept.npy"), "before");
    const before = await readdir(cli.folder);
    const child = spawn(
      process.execPath,
      [cli.script, ...many, "--count", "2000000000", "--backend", "wasm", "--threads", "1", "--out", "kept.npy"],
      { cwd: cli.folder, timeout: 60_000, killSignal: "SIGKILL", stdio: "ignore" },
    );
    const ended = new Promise((resolve) => child.once("close", resolve));
    // Until a piece is there: 16 GB of samples would not fit in an array, nor in this test's time.
    const written = async () => {
      const temporary = (await readdir(cli.folder)).find((name) => name.endsWith(".tmp"));
      return temporary !== undefined && (await bytesOf(temporary).catch(() => [])).length > 1000;
    };
    while (child.exitCode === null && !(await written())) await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(await readFile(cli.path("kept.npy"), "utf8")).toBe("before");
    expect(await readdir(cli.folder)).toEqual(before);
  }, 60_000);
});
