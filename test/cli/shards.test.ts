// `--shard` and `merge`: parts made apart are, put together, the very files and documents of the whole; what is no whole is refused.
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { exitCodeOf } from "../../src/cli/output.ts";
import { run } from "../../src/cli/program.ts";
import { flowMap, meanFlow } from "../../src/flows.ts";
import {
  arrayData,
  cfm,
  classes,
  condOT,
  createRuntime,
  createTrainer,
  eightGaussians,
  mlp,
  moons,
  type TrainerOptions,
  writeNpy,
} from "../../src/index.ts";

const folder = await mkdtemp(join(tmpdir(), "divflow-shards-"));
afterAll(() => rm(folder, { recursive: true }));
const at = (...names: string[]) => join(folder, ...names);
const bytesOf = async (name: string) => (await readFile(at(name))).toString("base64");

/** Rows of the file that is judged: no multiple of the numbers of parts, and more than is solved at once. */
const ROWS = 5000;

beforeAll(async () => {
  const runtime = await createRuntime({ backend: "wasm", threads: 1 });
  const save = async (file: string, options: Partial<TrainerOptions>) => {
    const usual = {
      network: mlp({ dimension: 2, hidden: [8] }),
      path: condOT(),
      loss: cfm(),
      data: moons(),
      batchSize: 16,
    };
    const trainer = await createTrainer(runtime, { ...usual, ...options });
    for await (const _ of trainer.run({ steps: 5 }));
    await writeFile(at(file), await trainer.model.checkpoint());
  };
  await save("plain.safetensors", {});
  await save("other.safetensors", { seed: 1 });
  const network = flowMap({ network: mlp({ dimension: 3, hidden: [8] }), reverse: true });
  await save("map.safetensors", { network, loss: meanFlow() });
  const kind = { values: Array.from({ length: 30 }, (_, i) => ["a", "b,\n", "c"][i % 3] as string) };
  const rows = Float64Array.from({ length: 60 }, (_, i) => Math.sin(i));
  await save("told.safetensors", {
    data: arrayData(rows, [30, 2], { standardize: true, columns: ["x", 'the\n"y"'], conditions: { kind } } as never),
    network: mlp({ dimension: 2, hidden: [8], conditions: { kind: classes(3, { drop: 0.1 }) } }),
  });
  await save("carried.safetensors", { start: eightGaussians() });
  runtime.dispose();
  const points = Float64Array.from({ length: 2 * ROWS }, (_, i) => 2 * Math.sin(1.7 * i));
  await writeFile(at("points.npy"), writeNpy(points, [ROWS, 2]));
  await writeFile(
    at("others.npy"),
    writeNpy(
      points.map((one) => one + 1),
      [ROWS, 2],
    ),
  );
  await writeFile(at("kinds.txt"), `${Array.from({ length: 11 }, (_, i) => (i % 2 ? "a" : "c")).join("\n")}\n`);
}, 60_000);

/** What a command prints; files are named from the folder on. */
async function printed(...parameters: string[]): Promise<string> {
  let output = "";
  const written = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    output += text;
    return true;
  });
  const device = parameters[0] === "merge" ? [] : ["--backend", "wasm", "--threads", "1"];
  try {
    expect(await run([...parameters, ...device, "--quiet"])).toBe(0);
    return output;
  } finally {
    written.mockRestore();
  }
}

async function refused(...parameters: string[]): Promise<string> {
  const before = await readdir(folder);
  const error = await printed(...parameters).then(
    () => new Error("nothing was refused"),
    (error: Error) => error,
  );
  expect(exitCodeOf(error), error.message).toBe(2);
  expect(await readdir(folder)).toEqual(before);
  return error.message;
}

/** Of `sample` and `evaluate`: the whole, and its parts, which have names that sort otherwise. */
async function parts(of: number, out: (index: number) => string, ...command: string[]): Promise<string[]> {
  const files = Array.from({ length: of }, (_, i) => at(out(i + 1)));
  for (const [i, file] of files.entries()) await printed(...command, "--shard", `${i + 1}/${of}`, "--out", file);
  return files;
}

let made = 0;
const sampled: readonly (readonly [model: string, of: number, ending: string, given: readonly string[]])[] = [
  ["plain", 3, "npy", ["--count", "5000"]],
  ["plain", 2, "npy", ["--count", "8193", "--log-density", "--solver", "heun", "--steps", "2"]],
  ["plain", 4, "npz", ["--count", "11", "--log-density"]],
  ["plain", 3, "tsv", ["--count", "50", "--solver", "euler-maruyama", "--steps", "3", "--diffusion", "2"]],
  ["map", 3, "csv", ["--count", "50", "--solver", "flow-map", "--steps", "2", "--log-density"]],
  ["told", 3, "csv", ["--count", "11", "--label", "kind=KINDS", "--guidance", "2"]],
  ["told", 2, "npz", ["--count", "11", "--label", "kind=a"]],
  ["carried", 3, "csv", ["--count", "50"]],
  ["carried", 2, "npy", ["--start", "POINTS", "--solver", "euler", "--steps", "1"]],
];

describe("sample", () => {
  test.each(sampled)("%s in %i parts as .%s %s", async (model, of, ending, given) => {
    const own = given.map((one) => one.replace("KINDS", at("kinds.txt")).replace("POINTS", at("points.npy")));
    const command = ["sample", at(`${model}.safetensors`), "--seed", "3", ...own];
    const name = `samples${made++}`;
    const whole = JSON.parse(await printed(...command, "--out", at(`${name}.${ending}`), "--json"));
    const files = await parts(of, (i) => `${name}-${9 - i}.${ending}`, ...command);
    const out = at(`${name}-merged.${ending}`);
    const merged = JSON.parse(await printed("merge", ...files.toReversed(), "--out", out, "--json"));
    expect(await bytesOf(`${name}-merged.${ending}`)).toBe(await bytesOf(`${name}.${ending}`));
    expect({ ...merged, seconds: 0, out: "" }).toEqual({ ...whole, seconds: 0, out: "" });
  });
});

describe("evaluate", () => {
  test.each([
    ["plain", 3, "csv", []],
    [
      "plain",
      2,
      "npz",
      ["--divergence", "hutchinson", "--probes", "2", "--seed", "5", "--solver", "heun", "--steps", "2"],
    ],
    ["map", 7, "npy", ["--solver", "flow-map", "--steps", "2"]],
  ] as const)("%s in %i parts as .%s %s", async (model, of, ending, given) => {
    const command = ["evaluate", at(`${model}.safetensors`), "--data", at("points.npy"), ...given];
    const name = `rows${made++}`;
    const whole = JSON.parse(await printed(...command, "--out", at(`${name}.${ending}`), "--json"));
    await parts(of, (i) => `${name}-${i}.${ending}`, ...command);
    const files = (await readdir(folder)).filter((file) => file.startsWith(`${name}-`)).map((file) => at(file));
    const merged = JSON.parse(
      await printed("merge", ...files.toReversed(), "--out", at(`${name}-merged.${ending}`), "--json"),
    );
    expect(await bytesOf(`${name}-merged.${ending}`)).toBe(await bytesOf(`${name}.${ending}`));
    if (ending === "csv") {
      const [lines = [], second = []] = await Promise.all(
        [`${name}.csv`, `${name}-2.csv`].map(async (file) => (await readFile(at(file), "utf8")).trim().split("\n")),
      );
      const from = lines.indexOf(second[1] ?? "");
      expect(lines.slice(from, from + second.length - 1)).toEqual(second.slice(1)); // rows have the whole's numbers
    }
    expect({ ...merged, out: "" }).toEqual({ ...whole, out: "" });
  });

  test("by documents alone, from a folder", async () => {
    const command = [
      "evaluate",
      at("plain.safetensors"),
      "--data",
      at("points.npy"),
      "--solver",
      "euler",
      "--steps",
      "2",
    ];
    const whole = await printed(...command, "--json");
    const files = [at("a.json"), at("b.json")];
    for (const [i, file] of files.entries()) {
      await writeFile(file, await printed(...command, "--shard", `${i + 1}/2`, "--json"));
    }
    expect(await printed("merge", ...files, "--json")).toBe(whole);
    expect(await refused(...command, "--shard", "1/2")).toMatch(/--shard.*without --out and without --json/);
  });
});

/** What a test changes of a part. */
interface Changed {
  divflow: string;
  readonly made: Record<string, unknown>;
  readonly part: { of: number; first: number };
}

describe("what is no whole is refused in a sentence", () => {
  const command = (more: Readonly<Record<string, string>> = {}, model = "plain") => {
    const options = { count: "50", solver: "euler", steps: "2", ...more };
    const given = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    return ["sample", at(`${model}.safetensors`), ...given];
  };
  const one = async (name: string, shard: string, ...words: string[]) => {
    await printed(...words, "--shard", shard, "--out", at(name));
    return at(name);
  };
  let [first, second] = ["", ""];
  beforeAll(async () => {
    first = await one("p1.npy", "1/2", ...command());
    second = await one("p2.npy", "2/2", ...command());
  });
  const merging = (...files: string[]) => refused("merge", ...files, "--out", at("all.npy"));

  test("gaps and doubles", async () => {
    expect(await merging(second)).toMatch(/parts: got "1 of 2: 1 is missing".*--shard 1\/2/);
    await cp(first, at("again.npy"));
    await cp(`${first}.part.json`, at("again.npy.part.json"));
    expect(await merging(first, second, at("again.npy"))).toMatch(/again.npy.*part 1 of 2, which .*p1.npy is too/);
    const many = await one("m1.npy", "1/20", ...command());
    expect(await merging(many)).toMatch(/1 of 20: 2, 3, 4, 5, 6, 7, 8, 9 and others are missing/);
  });

  test.each([
    ["another model", () => command({}, "other"), /model sha256 .*expected model sha256 .*p1\.npy/],
    ["another seed", () => command({ seed: "4" }), /got "--seed 4".*--seed 0/],
    ["other steps", () => command({ steps: "3" }), /--solver euler, steps 3".*--solver euler, steps 2, as/],
    ["another count", () => command({ count: "51" }), /got "rows 51".*rows 50/],
    ["log-densities too", () => [...command(), "--log-density"], /--log-density true.*--log-density false/],
  ] as const)("%s", async (name, words, sentence) => {
    const file = await one(`${name}.npy`, "2/2", ...words());
    expect(await merging(first, file)).toMatch(sentence);
  });

  test("another backend, version or number of parts", async () => {
    const changed = async (change: (part: Changed) => void) => {
      const part = JSON.parse(await readFile(`${second}.part.json`, "utf8"));
      change(part);
      await cp(second, at("changed.npy"));
      await writeFile(at("changed.npy.part.json"), JSON.stringify(part));
      return at("changed.npy");
    };
    expect(await merging(first, await changed(({ made }) => (made.backend = "webgpu")))).toMatch(
      /backend webgpu.*backend wasm/,
    );
    expect(await merging(first, await changed((part) => (part.divflow = "0.0.1")))).toMatch(/divflow version 0\.0\.1/);
    expect(await merging(first, await changed(({ part }) => (part.of = 3)))).toMatch(
      /number of parts 3.*number of parts 2/,
    );
    expect(await merging(first, await changed(({ part }) => part.first++))).toMatch(
      /rows 26 to 49.*rows from 25 on to 49/,
    );
  });

  test("damage, files of something else, another format", async () => {
    await cp(second, at("damaged.npy"));
    await cp(`${second}.part.json`, at("damaged.npy.part.json"));
    const bytes = await readFile(second);
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    await writeFile(at("damaged.npy"), bytes);
    expect(await merging(first, at("damaged.npy"))).toMatch(/damaged.npy.*other bytes than were written/);
    expect(await merging(at("points.npy"))).toMatch(/points.npy.*without what is known of it/);
    expect(await merging(at("nothing.npy"))).toMatch(/nothing.npy.*no such file/);
    await writeFile(at("x.json"), "{}");
    expect(await merging(at("x.json"))).toMatch(/x.json.*JSON of something else/);
    expect(await refused("merge", first, second, "--out", at("all.csv"))).toMatch(
      /a \.csv file, of parts that are \.npy/,
    );
    expect(await refused("merge", first, second)).toMatch(/--out: got "nothing"/);
    expect(await refused("merge", first, second, "--out", first)).toMatch(/the file that is read/);
  });

  test("a part that is none", async () => {
    for (const [shard, sentence] of [
      ["0/2", /The first part is 1\/n/],
      ["3/2", /part i of n, counted from 1/],
      ["1", /--shard 2\/8/],
      ["51/51", /at most 50/],
    ] as const) {
      expect(await refused(...command(), "--shard", shard, "--out", at("none.npy"))).toMatch(sentence);
    }
    expect(await refused(...command(), "--shard", "1/2", "--out", "-")).toMatch(/--shard.*beside --out -/);
  });
});
