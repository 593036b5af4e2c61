// Users' files on the command line: what is read, what is said of it, and pieces in place of files that fit nowhere.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type DataArguments, openData, readPointsFile, refuseTrajectories } from "../../src/cli/data.ts";
import { openFile } from "../../src/cli/file-pieces.ts";
import { columnsIn } from "../../src/cli/model-facts.ts";
import { CsvReader, NpyReader, NpzArchive, writeCsv, writeNpy, writeNpz } from "../../src/data.ts";
import { ConfigError, DataError } from "../../src/errors.ts";

let folder = "";
let said: string[] = [];
const path = (name: string) => join(folder, name);
/** What was said, without the folder. */
const words = () => said.join("").replaceAll(`${folder}/`, "");

const values = Float64Array.of(0.5, -1.25, 3, 4.75, 1e-3, -7);
const rows = "0.5,-1.25\n3,4.75\n0.001,-7\n";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "divflow-data-"));
  const files: Readonly<Record<string, string | Uint8Array>> = {
    "plain.csv": rows,
    "named.csv": `age,income\n${rows}`,
    "tabs.tsv": `age\tincome\n${rows.replaceAll(",", "\t")}`,
    "spaces.txt": rows.replaceAll(",", "   "),
    "UPPER.CSV": rows,
    "array.npy": writeNpy(values, [3, 2]),
    "array.csv": writeNpy(values, [3, 2]),
    "archive.npz": writeNpz({
      samples: { values, shape: [3, 2] },
      logDensity: { values: values.slice(0, 3), shape: [3] },
    }),
    "two.npz": writeNpz({ a: { values, shape: [3, 2] }, b: { values: values.slice(0, 4), shape: [2, 2] } }),
    "index.csv": ",age,income\n0,0.5,-1.25\n1,3,4.75\n2,0.001,-7\n",
    "turned.csv": "income,note,age\n-1.25,a,0.5\n4.75,b,3\n-7,c,0.001\n",
    "comma.csv": "age;income\n0,5;-1,25\n3;4,75\n1e-3;-7\n",
    "years.csv": "2020,2021\n0.5,-1.25\n3,4.75\n0.001,-7\n",
    "constant.csv": "age,income\n0.5,2\n3,2\n",
    "points.parquet": "PAR1",
    "points.csv.gz": "",
  };
  await Promise.all(Object.entries(files).map(([name, content]) => writeFile(path(name), content)));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  said = [];
  const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
  return () => write.mockRestore();
});

describe("a file of points", () => {
  test.each<[string, DataArguments, string]>([
    ["plain.csv", {}, "plain.csv: 3 rows x 2 columns; no header\n"],
    ["named.csv", {}, "named.csv: 3 rows x 2 columns: age, income; first row is a header\n"],
    ["tabs.tsv", {}, "tabs.tsv: 3 rows x 2 columns: age, income; first row is a header\n"],
    ["spaces.txt", {}, "spaces.txt: 3 rows x 2 columns; no header\n"],
    ["UPPER.CSV", {}, "UPPER.CSV: 3 rows x 2 columns; no header\n"],
    ["array.npy", {}, "array.npy: 3 rows x 2 columns\n"],
    ["array.csv", {}, "array.csv: 3 rows x 2 columns\n"],
    ["archive.npz", {}, "archive.npz: 3 rows x 2 columns\n"],
    ["two.npz", { array: "a" }, "two.npz: 3 rows x 2 columns\n"],
    ["index.csv", { "skip-index": true }, "index.csv: 3 rows x 2 columns: age, income; first row is a header\n"],
    ["index.csv", { columns: "age, income" }, "index.csv: 3 rows x 2 columns: age, income; first row is a header\n"],
    ["turned.csv", { columns: "2,0" }, "turned.csv: 3 rows x 2 columns: age, income; first row is a header\n"],
    ["comma.csv", { decimal: "comma" }, "comma.csv: 3 rows x 2 columns: age, income; first row is a header\n"],
    ["named.csv", { header: "yes" }, "named.csv: 3 rows x 2 columns: age, income; first row is a header\n"],
  ])("%s with %o", async (name, args, line) => {
    const { values: read, count, dimension } = await readPointsFile(path(name), args);
    expect([...read]).toEqual([...values]);
    expect([count, dimension]).toEqual([3, 2]);
    expect(words()).toBe(line);
  });

  test("is doubted aloud", async () => {
    await readPointsFile(path("index.csv"));
    await readPointsFile(path("years.csv"));
    expect(words()).toMatch(
      /3 rows x 3 columns: "", age, income; first row is a header\n {2}Column 1 looks like an index/,
    );
    expect(words()).toMatch(
      /columns: 2020, 2021; first row is a header\n {2}The first line \(2020, 2021\).*--header no/,
    );
  });

  test("that never changes in a column has no likelihood; of a trained model nothing is said", async () => {
    await readPointsFile(path("constant.csv"));
    expect(words()).toMatch(/"income" never changes.*likelihoods with it mean nothing/);
    said = [];
    await readPointsFile(path("constant.csv"), {}, { trained: true });
    expect(words()).not.toMatch(/never changes/);
  });

  test.each<[string, DataArguments, RegExp]>([
    ["points.parquet", {}, /points\.parquet.*another kind.*\.csv, \.tsv, \.txt, \.npy and \.npz/],
    ["points.csv.gz", {}, /Unpack it first/],
    ["absent.csv", {}, /absent\.csv.*no such file/],
    ["two.npz", {}, /a \[3, 2\], b \[2, 2\].*--array/],
    ["two.npz", { array: "c" }, /got "c", expected one of a/],
    ["named.csv", { array: "a" }, /--array/],
    ["named.csv", { header: "maybe" }, /--header.*yes, no/],
    ["named.csv", { columns: "age,size" }, /size.*"age", "income"/],
    ["array.npy", { header: "yes" }, /a header.*beside an array/],
    ["array.npy", { columns: "2" }, /got "2", expected a number from 0 to 1/],
    ["array.npy", { "skip-index": true }, /row 0, column 0 .*got 0.5, expected an index/],
  ])("is refused: %s with %o", async (name, args, message) => {
    await expect(readPointsFile(path(name), args)).rejects.toThrow(message);
    await expect(openData(path(name), args)).rejects.toThrow(message);
  });

  test("of a model: its columns are found by name, in its order", async () => {
    const model = { columns: ["age", "income"] };
    const { values: read, columns } = await readPointsFile(path("turned.csv"), {}, model);
    expect({ read: [...read], columns }).toEqual({ read: [...values], columns: ["age", "income"] });
    expect(words()).toMatch(
      /^turned.csv: Reading by name leaves out "note".*model's order: age, income\.\nturned.csv: 3 rows/,
    );
    said = [];
    expect([...(await readPointsFile(path("turned.csv"), { columns: "0,2" }, model)).values]).toEqual([...values]);
    await expect(readPointsFile(path("named.csv"), {}, { columns: ["age", "size"] })).rejects.toThrow(
      /not among them size/,
    );
    said = [];
    await readPointsFile(path("plain.csv"), {}, model);
    expect(words()).toMatch(/no names; its columns are taken for the model's, in order: age, income/);
  });
});

test("a set by name takes no options of reading, and a path that is none is told what can be read", async () => {
  expect((await openData("moons")).name).toBe("moons");
  expect(said).toEqual([]);
  await expect(openData("moons", { header: "no" })).rejects.toThrow(ConfigError);
  await expect(openData("mons")).rejects.toThrow(/Did you mean moons/);
  await expect(openData("runs/data")).rejects.toThrow(/another kind/);
});

test("trajectories by name are solved, and no comparison holds some of them out", async () => {
  const { shape, dimension } = await openData("harmonic-oscillator");
  expect([shape, dimension]).toEqual([[60, 2], 120]);
  expect(() => refuseTrajectories("harmonic-oscillator")).toThrow(/data of compare: got "harmonic-oscillator"/);
  expect(() => refuseTrajectories("moons")).not.toThrow();
});

test("a value far beyond its column's others is remarked on", async () => {
  const lines = Array.from({ length: 20 }, (_, i) => `${Math.sin(i)},${i === 7 ? 1e30 : Math.cos(i)}`);
  await writeFile(path("far.csv"), `age,income\n${lines.join("\n")}\n`);
  await readPointsFile(path("far.csv"));
  expect(words()).toMatch(/^ {2}Column "income" reaches 1\.000e\+30, over 1,000 times/m);
});

describe("in pieces", () => {
  const many = Float64Array.from({ length: 999 }, (_, i) => Math.sin(i));

  /** As files that no string or buffer holds are read, at another scale. */
  test.each([1, 7, 64, 1000])("of %i bytes", async (piece) => {
    await writeFile(path("many.csv"), writeCsv(many, [333, 3], ["a", "b", "c"]));
    await writeFile(path("many.npy"), writeNpy(many, [333, 3]));
    await writeFile(path("many.npz"), writeNpz({ many: { values: many, shape: [333, 3] } }));
    const text = await openFile(path("many.csv"), piece);
    const csv = new CsvReader("many.csv");
    for await (const bytes of text.pieces()) csv.push(bytes);
    await text.close();
    expect(csv.end()).toMatchObject({ values: many, columns: ["a", "b", "c"] });

    const array = await openFile(path("many.npy"), piece);
    const file = await array.whole();
    const npy = new NpyReader("many.npy", file.size);
    for (let at = 0; at < file.size; at += piece) npy.push(await file.read(at, Math.min(piece, file.size - at)));
    await array.close();
    expect(npy.end()).toEqual({ shape: [333, 3], data: many });

    const archive = await openFile(path("many.npz"), piece);
    expect(await (await NpzArchive.open(await archive.whole(), "many.npz")).read("many")).toEqual({
      shape: [333, 3],
      data: many,
    });
    await archive.close();
  });

  test("a folder is refused when it is read", async () => {
    const file = await openFile(folder);
    await expect(file.start()).rejects.toThrow(DataError);
    await file.close();
  });
});

test("the columns of a model file are known before it is loaded; of other files nothing is", () => {
  const file = (header: string) => {
    const bytes = new TextEncoder().encode(`########${header}`);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    return bytes;
  };
  const metadata = (record: unknown) => file(JSON.stringify({ __metadata__: { divflow: JSON.stringify(record) } }));
  expect(columnsIn(metadata({ columns: ["age", "income"] }))).toEqual(["age", "income"]);
  expect(columnsIn(metadata({ columns: [1] }))).toBeUndefined();
  expect(columnsIn(metadata({}))).toBeUndefined();
  for (const other of [file("{}"), file("{"), new Uint8Array(3)]) expect(columnsIn(other)).toBeUndefined();
});
