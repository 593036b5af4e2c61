// What models are told beside points, on the command line: columns of files, labels and numbers of samples.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readCsv, readNpy, readNpz, writeNpy, writeNpz } from "../../src/data.ts";
import { optimalTransport, withOutput } from "../../src/flows.ts";
import {
  cfm,
  condOT,
  createRuntime,
  createTrainer,
  eightGaussians,
  mlp,
  moons,
  type TrainerOptions,
} from "../../src/index.ts";
import { crossEntropy, dirichlet, lettersData } from "../../src/letters.ts";
import { tiny, useCli } from "./run.ts";

const cli = useCli();

/** Points near (3 kind, age / 20) of three kinds, one of which has a comma in its name. */
const kinds = ["ape", "b, c", "wolf"];
const count = 240;
const rows = Array.from({ length: count }, (_, i) => {
  const age = 20 + ((i * 37) % 40);
  return {
    x: 3 * (i % 3) + 0.1 * Math.sin(i),
    y: age / 20 + 0.05 * Math.cos(3 * i),
    kind: kinds[i % 3] as string,
    age,
  };
});
const csv = `x,kind,y,age\n${rows.map(({ x, y, kind, age }) => `${x},"${kind}",${y},${age}`).join("\n")}\n`;
const images = Float32Array.from({ length: 30 * 12 }, (_, i) => Math.sin(i) + (Math.floor(i / 12) % 2));
const model = "run/model.safetensors";
const told = ["train", "kinds.csv", "--label", "kind", "--condition", "age"];
const small = ["--backend", "wasm", "--width", "16", "--layers", "2", "--batch", "64"];

beforeAll(async () => {
  await mkdir(cli.folder, { recursive: true });
  await writeFile(cli.path("kinds.csv"), csv);
  await writeFile(cli.path("images.npy"), writeNpy(images, [30, 2, 3, 2]));
  await writeFile(
    cli.path("images.npz"),
    writeNpz({
      x: { values: images, shape: [30, 2, 3, 2] },
      digit: { values: Float64Array.from({ length: 30 }, (_, i) => i % 2), shape: [30] },
      frames: { values: images.slice(0, 60), shape: [30, 2] },
    }),
  );
  const ended = await cli.run([...told, ...small, "--steps", "300", "--out", "run"]);
  expect(ended.errors).toContain(
    "kinds.csv: 240 rows x 2 columns: x, y; first row is a header; told of each: kind (3 kinds), age",
  );
  expect(ended.code).toBe(0);
}, 60_000);

const sampled = (out: string, ...given: string[]) =>
  cli.run(["sample", model, "--count", "40", "--backend", "wasm", "--out", out, "--force", ...given]);

describe("samples", () => {
  test("are of the kind and the age that they are told, which stand beside them", async () => {
    for (const [kind, age] of [
      [0, 30],
      [1, 55],
      [2, 25],
    ] as const) {
      const { code, errors } = await sampled("s.csv", "--label", `kind=${kinds[kind]}`, "--condition", `age=${age}`);
      expect(errors).not.toContain("Not told");
      expect(code).toBe(0);
      const table = readCsv(await readFile(cli.path("s.csv")), "s.csv", { labels: ["kind"], conditions: ["age"] });
      expect(table.columns).toEqual(["x", "y"]);
      expect(new Set<unknown>(table.conditions?.["kind"])).toEqual(new Set([kinds[kind]]));
      expect(new Set<unknown>(table.conditions?.["age"])).toEqual(new Set([age]));
      const mean = (column: number) => table.values.filter((_, i) => i % 2 === column).reduce((a, b) => a + b, 0) / 40;
      expect(Math.abs(mean(0) - 3 * kind)).toBeLessThan(0.8);
      expect(Math.abs(mean(1) - age / 20)).toBeLessThan(0.5);
    }
  });

  test("each take a row of a file, in its order", async () => {
    await writeFile(
      cli.path("labels.csv"),
      `${rows
        .slice(0, 40)
        .map(({ kind }) => kind)
        .join("\n")}\n`,
    );
    await writeFile(
      cli.path("ages.npy"),
      writeNpy(
        rows.slice(0, 40).map(({ age }) => age),
        [40],
      ),
    );
    const { code } = await sampled("s.npz", "--label", "kind=labels.csv", "--condition", "age=ages.npy");
    expect(code).toBe(0);
    const arrays = await readNpz(await readFile(cli.path("s.npz")));
    expect(arrays.get("samples")?.shape).toEqual([40, 2]);
    expect([...(arrays.get("kind")?.data ?? [])]).toEqual(Array.from({ length: 40 }, (_, i) => i % 3));
    expect([...(arrays.get("age")?.data ?? [])]).toEqual(rows.slice(0, 40).map(({ age }) => age));
    const near = rows
      .slice(0, 40)
      .filter((_, i) => Math.abs(Number(arrays.get("samples")?.data[2 * i]) - 3 * (i % 3)) < 1.5);
    expect(near.length).toBeGreaterThan(35);
  });

  test("of what is left out are not told, and that is said; .npy holds the samples alone", async () => {
    const { code, errors } = await sampled("s.npy", "--label", "kind=wolf");
    expect([code, errors.includes("Not told: age.")]).toEqual([0, true]);
    expect(readNpy(await readFile(cli.path("s.npy"))).shape).toEqual([40, 2]);
  });

  test.each(["tsit5", "adaptive-heun", "euler-maruyama", "stochastic-heun"])(
    "are those of the data by %s too",
    async (solver) => {
      const given = ["--solver", solver, "--label", "kind=wolf", "--condition", "age=30"];
      const { code } = await sampled("s.npy", ...given);
      expect(code).toBe(0);
      const { data } = readNpy(await readFile(cli.path("s.npy")));
      const mean = Array.from(data).reduce((sum, value, i) => sum + (i % 2 === 0 ? value / 40 : 0), 0);
      expect(Math.abs(mean - 3 * kinds.indexOf("wolf"))).toBeLessThan(0.8);
    },
  );

  test("have no log-density where noise is added on the way", async () => {
    const given = ["--solver", "euler-maruyama", "--log-density", "--label", "kind=wolf", "--condition", "age=30"];
    const { code, errors } = await sampled("s.npy", ...given);
    expect(code).toBe(2);
    expect(errors).toContain("such as --solver dopri5 or heun.");
  });

  test("are guided by what they are told", async () => {
    const values = async (...guidance: string[]) => {
      const given = ["--label", "kind=wolf", "--condition", "age=30", "--json", ...guidance];
      const { code, output } = await sampled("s.npy", ...given);
      expect([code, JSON.parse(output).guidance]).toEqual([0, guidance[1] && Number(guidance[1])]);
      return readNpy(await readFile(cli.path("s.npy"))).data;
    };
    const [plain, same, guided] = [await values(), await values("--guidance", "1"), await values("--guidance", "-2.5")];
    expect(same).toEqual(plain);
    expect(guided).not.toEqual(plain);
  });

  test.each<[string, string[], string]>([
    ["a kind that there is none of", ["--label", "kind=wulf"], "Did you mean wolf?"],
    ["a name that is none", ["--label", "sort=wolf"], "expected one of kind, age"],
    ["a value alone", ["--label", "wolf"], "name=value"],
    ["a name twice", ["--condition", "age=1,age=2"], "age twice"],
    ["a number that is none", ["--condition", "age=old"], "--condition age"],
    ["guidance that is no number", ["--label", "kind=wolf", "--guidance", "much"], "--guidance"],
    ["guidance by nothing", ["--guidance", "2"], "Tell kind, age, or leave out --guidance"],
    ["rows of another number", ["--condition", "age=short.csv"], "2 numbers"],
  ])("refuse %s", async (_name, given, message) => {
    await writeFile(cli.path("short.csv"), "1\n2\n");
    const { code, errors } = await sampled("s.csv", ...given);
    expect(code).toBe(2);
    expect(errors).toContain(message);
  });
});

describe("evaluate", () => {
  test("finds what the model is told by name, and is worse where it is told something else", async () => {
    await writeFile(cli.path("wrong.csv"), csv.replaceAll('"ape"', '"wolf"'));
    const nll = async (file: string) => {
      const { output } = await cli.run(["evaluate", model, "--data", file, "--backend", "wasm", "--json"]);
      return JSON.parse(output).negativeLogLikelihood as number;
    };
    const [right, wrong] = [await nll("kinds.csv"), await nll("wrong.csv")];
    expect(right).toBeLessThan(1.5);
    expect(wrong).toBeGreaterThan(right + 1);
  });

  test("says which column is missing", async () => {
    await writeFile(cli.path("bare.csv"), "x,y\n1,2\n");
    const { code, errors } = await cli.run(["evaluate", model, "--data", "bare.csv", "--backend", "wasm"]);
    expect(code).not.toBe(0);
    expect(errors).toContain('got "kind"');
  });
});

describe("train", () => {
  test("goes on with the same labels and ages, by the model's own names", async () => {
    const again = await cli.run([
      "train",
      "kinds.csv",
      "--resume",
      model,
      "--out",
      "more",
      "--steps",
      "160",
      "--backend",
      "wasm",
    ]);
    expect(again.errors).toContain("told of each: kind (3 kinds), age");
    expect(again.code).toBe(0);
    await writeFile(cli.path("other.csv"), csv.replace('"ape"', '"wolf"'));
    const other = await cli.run([
      "train",
      "other.csv",
      "--resume",
      model,
      "--out",
      "no",
      "--steps",
      "160",
      "--backend",
      "wasm",
    ]);
    expect(other.code).not.toBe(0);
    expect(other.errors).toContain("data to resume with");
  });

  test("begins at a model whose labels keep their meaning where a file has fewer kinds", async () => {
    const two = csv
      .split("\n")
      .filter((line) => !line.includes('"ape"'))
      .join("\n");
    await writeFile(cli.path("two.csv"), two);
    const begun = ["train", "two.csv", "--from", model, "--out", "begun", "--steps", "1", "--backend", "wasm"];
    const { code, errors } = await cli.run(begun);
    expect(errors).toContain("kind (3 kinds), age");
    expect(code).toBe(0);
    const text = (await readFile(cli.path("begun", "model.safetensors"))).toString("latin1");
    expect(text).toContain('\\"names\\":[\\"ape\\",\\"b, c\\",\\"wolf\\"]');
  });

  test("keeps --drop, and refuses it where nothing is told", async () => {
    const whole = await cli.run([...told, ...tiny, "--drop", "0", "--steps", "1", "--out", "whole"]);
    expect(whole.code).toBe(0);
    const config = JSON.parse(await readFile(cli.path("whole", "config.json"), "utf8"));
    expect(config.network.config.conditions).toEqual({ kind: { shape: [], classes: 3 }, age: { shape: [] } });
    const needed = await cli.run(["sample", "whole/model.safetensors", "--out", "-", "--backend", "wasm"]);
    expect([needed.code, needed.errors.includes('condition "kind" of sample')]).toEqual([2, true]);
    const idle = await cli.run(["train", "moons", "--drop", "0.1", "--out", "idle"]);
    expect([idle.code, idle.errors.includes("--drop")]).toEqual([2, true]);
  });

  test("takes arrays of more axes, with labels and numbers of a .npz, and samples come in that shape", async () => {
    const options = [...tiny, "--steps", "2", "--validation", "none"];
    const plain = await cli.run(["train", "images.npy", "--out", "shaped", ...options]);
    expect(plain.errors).toContain("images.npy: 30 rows of shape [2, 3, 2]");
    expect(plain.code).toBe(0);
    const told = await cli.run([
      ...["train", "images.npz", "--array", "x", "--label", "digit", "--condition", "frames", "--out", "told"],
      ...options,
    ]);
    expect(told.errors).toContain("told of each: digit (2 kinds), frames");
    expect(told.code).toBe(0);
    for (const [run, given] of [
      ["shaped", []],
      ["told", ["--label", "digit=1"]],
    ] as const) {
      const out = cli.path(`${run}.npy`);
      const ended = await cli.run([
        "sample",
        join(run, "model.safetensors"),
        "--count",
        "3",
        "--backend",
        "wasm",
        "--out",
        out,
        ...given,
      ]);
      expect(ended.code).toBe(0);
      expect(readNpy(await readFile(out)).shape).toEqual([3, 2, 3, 2]);
    }
  });
});

test("info says what a model is told, by which names", async () => {
  const { code, output } = await cli.run(["info", model]);
  expect(code).toBe(0);
  expect(output).toContain("network    mlp, samples of shape [2]\n");
  expect(output).toContain("path       cond-ot, the network gives velocity\n");
  expect(output).toContain("columns    x, y\n");
  expect(output).toMatch(/ {2}kind {2}ape, b, c, wolf\n {2}age {2}numbers\n/);
  const { output: json } = await cli.run(["info", model, "--json"]);
  expect(JSON.parse(json)).toMatchObject({
    ...{ network: "mlp", shape: [2], step: 300, columns: ["x", "y"] },
    conditions: { kind: { classes: 3, names: kinds }, age: {} },
  });
  await writeFile(cli.path("none.safetensors"), "none");
  expect((await cli.run(["info", "none.safetensors"])).code).toBe(2);
});

test("info says what a network gives, and what it starts from", async () => {
  const runtime = await createRuntime({ backend: "wasm", threads: 1 });
  const facts = async (file: string, options: TrainerOptions) => {
    const trainer = await createTrainer(runtime, { batchSize: 4, ...options });
    for await (const _ of trainer.run({ steps: 1 }));
    await writeFile(cli.path(file), await trainer.model.checkpoint());
    return (await cli.run(["info", file])).output;
  };
  const sample = [2, 3] as const;
  const letters = await facts("letters.safetensors", {
    network: mlp({ sample, hidden: [4] }),
    path: dirichlet({ sample }),
    loss: crossEntropy(),
    data: lettersData(["AB", "BC"], { alphabet: "ABC" }),
  });
  expect(letters).toContain("path       dirichlet, the network gives logits of letters\n");
  expect(letters).not.toContain("start ");
  const started = await facts("started.safetensors", {
    network: mlp({ dimension: 2, hidden: [4] }),
    path: withOutput("data", condOT()),
    loss: cfm(),
    start: eightGaussians(),
    data: moons(),
    coupling: optimalTransport(),
  });
  expect(started).toContain("path       cond-ot, the network gives data\n");
  expect(started).toContain("start      eight-gaussians, in place of noise\ncoupling   optimal-transport\n");
  runtime.dispose();
});

test("compare trains, stops and judges with what is told, and writes it beside samples and test rows", async () => {
  const { code, errors } = await cli.run([
    ...["compare", "kinds.csv", "--label", "kind", "--condition", "age", "--out", "compared", "--equal", "steps"],
    ...[...tiny, "--steps", "20"],
  ]);
  expect([code, errors.includes("rror")]).toEqual([0, false]);
  const test_ = readCsv(await readFile(cli.path("compared", "test.csv")), "test.csv", { labels: ["kind"] });
  const near = (i: number) =>
    rows.some(({ x, kind }) => x === test_.values[3 * i] && kind === test_.conditions?.["kind"]?.[i]);
  expect([test_.count, Array.from({ length: test_.count }, (_, i) => near(i)).every(Boolean)]).toEqual([24, true]);
  const samples = readCsv(await readFile(cli.path("compared", "fdm", "samples.csv")), "s.csv", { labels: ["kind"] });
  expect(samples.conditions?.["kind"]?.slice(0, 24)).toEqual(test_.conditions?.["kind"]);
}, 60_000);
