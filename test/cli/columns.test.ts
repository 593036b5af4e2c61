// Names of columns on their way: from a user's file into the model, and back to files and other files' columns.
import { readFile, writeFile } from "node:fs/promises";
import { beforeAll, expect, test } from "vitest";
import { readCsv } from "../../src/data.ts";
import { tiny, useCli } from "./run.ts";

const cli = useCli();
const model = "model/model.safetensors";
const wasm = ["--backend", "wasm"];

/** Rows of two columns that differ, so that one taken for the other shows. */
const rows = Array.from({ length: 40 }, (_, i) => [Math.sin(i), 10 + 3 * Math.cos(2 * i)] as const);

beforeAll(async () => {
  const named = rows.map(([age, income], i) => `${i},${age},${income}`);
  const turned = rows.map(([age, income]) => `${income},word,${age}`);
  await writeFile(cli.path("named.csv"), ["id,age,income", ...named].join("\n"));
  await writeFile(cli.path("turned.csv"), ["income,note,age", ...turned].join("\n"));
  await writeFile(cli.path("lacking.csv"), ["age,size", ...rows.map((row) => row.join(","))].join("\n"));
  const { code, errors } = await cli.run([
    "train",
    "named.csv",
    "--skip-index",
    "--out",
    "model",
    ...tiny,
    "--steps",
    "5",
  ]);
  expect(code, errors).toBe(0);
  expect(errors).toContain("named.csv: 40 rows x 2 columns: age, income; first row is a header\n");
});

async function evaluated(data: string, ...options: string[]) {
  const { code, output, errors } = await cli.run(["evaluate", model, "--data", data, "--json", ...wasm, ...options]);
  expect(code, errors).toBe(0);
  return { mean: JSON.parse(output).negativeLogLikelihood as number, errors };
}

test("columns in another order are found by name, and it is said", async () => {
  const { mean } = await evaluated("named.csv", "--skip-index");
  const turned = await evaluated("turned.csv");
  expect(turned.mean).toBe(mean);
  expect(turned.errors).toMatch(/turned\.csv: Reading by name leaves out "note".*model's order: age, income/);
  expect((await evaluated("named.csv")).mean).toBe(mean); // the index is no column of the model
});

test("a missing column is refused", async () => {
  const { code, errors } = await cli.run(["evaluate", model, "--data", "lacking.csv", ...wasm]);
  expect(code).toBe(2);
  expect(errors).toMatch(/columns of lacking\.csv.*not among them income/);
});

test("a run goes on with the same points from columns in another order", async () => {
  const { code, errors } = await cli.run([
    "train",
    "turned.csv",
    "--resume",
    model,
    "--steps",
    "8",
    "--out",
    "on",
    ...wasm,
  ]);
  expect(code, errors).toBe(0);
});

test("samples as CSV have the names, and are read back by them", async () => {
  const { code, errors } = await cli.run(["sample", model, "--count", "6", "--out", "samples.csv", ...wasm]);
  expect(code, errors).toBe(0);
  const table = readCsv(new Uint8Array(await readFile(cli.path("samples.csv"))), "samples.csv");
  expect(table).toMatchObject({ columns: ["age", "income"], count: 6, dimension: 2 });
  await evaluated("samples.csv");
});

test("names with escape sequences move no cursor, and are written as they were read", async () => {
  const [first, second] = ["\u001b[31mage", "in\u202ecome\u009b2J"];
  await writeFile(cli.path("odd.csv"), [`${first},${second}`, ...rows.map((row) => row.join(","))].join("\n"));
  const steps = [
    ["train", "odd.csv", "--out", "odd", ...tiny, "--steps", "5"],
    ["evaluate", "odd/model.safetensors", "--data", "odd.csv", ...wasm],
    ["evaluate", "odd/model.safetensors", "--data", "lacking.csv", ...wasm],
    ["sample", "odd/model.safetensors", "--count", "3", "--out", "odd-samples.csv", "--json", ...wasm],
    ["evaluate", "odd/model.safetensors", "--data", `a\n${first}.csv`, ...wasm],
    ["sample", `${second}.safetensors`, "--out", "x.npy"],
    ["train", "moons", "--out", "x", `--${first}`, "1"],
  ];
  for (const parameters of steps) {
    const { output, errors } = await cli.run(parameters);
    expect(output + errors).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    if (parameters[0] === "train" && parameters[1] === "odd.csv") expect(errors).toContain("\\u001b[31mage");
  }
  expect(readCsv(await readFile(cli.path("odd-samples.csv"))).columns).toEqual([first, second]);
});

test("a name that two columns have is no name of the model's", async () => {
  await writeFile(cli.path("twice.csv"), ["x,x", ...rows.map((row) => row.join(","))].join("\n"));
  const { code, errors } = await cli.run(["train", "twice.csv", "--out", "twice", ...tiny, "--steps", "5"]);
  expect(code, errors).toBe(0);
  expect(errors).toMatch(/More than one column is called "x"/);
});
