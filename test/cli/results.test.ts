/** What `sample` and `evaluate` write, in every format, and what they refuse to overwrite. */
import { execFile } from "node:child_process";
import { copyFile, link, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { coordinateNames, freeName } from "../../src/cli/results.ts";
import { readCsv, readNpz } from "../../src/data.ts";
import { readNpy } from "../../src/index.ts";
import { withFullDisk } from "./ended-runs.ts";
import { tiny, useCli } from "./run.ts";

const cli = useCli();
const solved = ["--backend", "wasm", "--solver", "rk4", "--steps", "5"];
const sampling = ["sample", "model/model.safetensors", "--count", "20", "--seed", "3", ...solved];
const bytesOf = async (name: string) => new Uint8Array(await readFile(cli.path(name)));

async function succeed(parameters: readonly string[]) {
  const ended = await cli.run(parameters);
  expect(ended.code, ended.errors).toBe(0);
  return ended;
}

async function refused(parameters: readonly string[]): Promise<string> {
  const before = await readdir(cli.folder);
  const { code, output, errors } = await cli.run(parameters);
  expect({ code, output }, errors).toEqual({ code: 2, output: "" });
  expect(await readdir(cli.folder)).toEqual(before);
  return errors;
}

beforeAll(async () => {
  const rows = Array.from({ length: 60 }, (_, i) => `${1e6 + 1e-3 * (i % 7)},${(i * i) % 11}`);
  await writeFile(cli.path("own.csv"), `age,"a, b"\n${rows.join("\n")}\n`);
  await succeed(["train", "moons", ...tiny, "--steps", "10", "--out", "model"]);
  await succeed(["train", "own.csv", ...tiny, "--steps", "10", "--out", "own"]);
});

describe("files of a run", () => {
  test.each(["own/model.safetensors", "own/config.json", "own/metrics.jsonl", "own/best.safetensors", "own/link.csv"])(
    "%s is kept unless --force",
    async (out) => {
      await copyFile(cli.path("own/model.safetensors"), cli.path("own/best.safetensors"));
      await symlink("best.safetensors", cli.path("own/link.csv")).catch(() => {});
      const before = await bytesOf(out);
      const points = ["--data", "points.csv", "--backend", "wasm", "--solver", "rk4", "--steps", "5"];
      await writeFile(cli.path("points.csv"), "0,1\n1,0\n");
      for (const command of [sampling, ["evaluate", "model/model.safetensors", ...points]]) {
        const errors = await refused([...command, "--format", "csv", "--out", out]);
        expect(errors).toMatch(/--out own\/.*(a model that is there|the .* of a run).*--force overwrites this one/);
      }
      expect(await bytesOf(out)).toEqual(before);
      await succeed([...sampling, "--format", "csv", "--out", out, "--force"]);
      await writeFile(cli.path(out), before);
    },
  );
});

describe("sample", () => {
  test("on a full disk names its file, and what to do", async () => {
    const node = withFullDisk("true");
    const { code, output, errors } = await cli.run([...sampling, "--out", "full.csv"], { node });
    expect({ code, output }).toEqual({ code: 1, output: "" });
    expect(errors).toMatch(
      /\ndivflow: full\.csv: the disk is full\. Nothing was left half written; free some room and try again\.\n$/,
    );
  });

  test("text holds names, and the very values of .npy", async () => {
    await succeed([...sampling, "--log-density", "--out", "s.npy"]);
    const { data, shape } = readNpy(await bytesOf("s.npy"), "s.npy");
    expect(shape).toEqual([20, 3]);
    for (const [file, delimiter] of [
      ["s.csv", ","],
      ["s.tsv", "\t"],
      ["S.TXT", "\t"],
    ] as const) {
      await succeed([...sampling, "--log-density", "--out", file]);
      const text = await readFile(cli.path(file), "utf8");
      expect(text.split("\n", 1)[0]).toBe(["x0", "x1", "log_density"].join(delimiter));
      expect([...readCsv(await bytesOf(file), file).values]).toEqual([...data]);
    }
  });

  test("samples alone are f32, in f32's shortest digits", async () => {
    await succeed([...sampling, "--out", "alone.npy"]);
    await succeed([...sampling, "--out", "alone.csv"]);
    const { data, shape } = readNpy(await bytesOf("alone.npy"), "alone.npy");
    expect(data).toBeInstanceOf(Float32Array);
    expect(shape).toEqual([20, 2]);
    const text = await readFile(cli.path("alone.csv"), "utf8");
    expect(Math.max(...text.split(/[\n,]/).map((field) => field.length))).toBeLessThan(15);
    expect(Float32Array.from(readCsv(await bytesOf("alone.csv"), "alone.csv").values)).toEqual(data);
  });

  test(".npz keeps samples and log-densities apart", async () => {
    await succeed([...sampling, "--log-density", "--out", "s.npz"]);
    const arrays = await readNpz(await bytesOf("s.npz"), "s.npz");
    expect([...arrays].map(([name, { shape }]) => [name, shape])).toEqual([
      ["samples", [20, 2]],
      ["log_density", [20]],
    ]);
  });

  test("names of columns are those of the data, and none is there twice", () => {
    const names = coordinateNames(2, ["age", "log_density"]);
    expect([...names, freeName("log_density", names)]).toEqual(["age", "log_density", "log_density_"]);
  });

  test("columns have the names of the data, and samples of standardised data their digits", async () => {
    const own = ["sample", "own/model.safetensors", "--count", "20", ...solved];
    await succeed([...own, "--out", "own-samples.csv"]);
    const { columns, values } = readCsv(await bytesOf("own-samples.csv"), "own-samples.csv");
    expect(columns).toEqual(["age", "a, b"]);
    expect(new Set(values.filter((_, i) => i % 2 === 0)).size).toBe(20);
    await succeed([...own, "--out", "own-samples.npy"]);
    const { data } = readNpy(await bytesOf("own-samples.npy"), "own-samples.npy");
    expect(data).toBeInstanceOf(Float64Array);
    expect([...data]).toEqual([...values]);
  });

  test("- is standard output, with results and nothing else", async () => {
    await succeed([...sampling, "--out", "out.csv"]);
    const csv = await readFile(cli.path("out.csv"), "utf8");
    const { output, errors } = await succeed([...sampling, "--out", "-"]);
    expect(output).toBe(csv);
    expect(errors).toMatch(/Wrote 20 samples of 2 numbers to standard output/);
    expect((await succeed([...sampling, "--out", "-", "--format", "tsv", "--quiet"])).errors).toBe("");
    const parameters = [cli.script, ...sampling, "--out", "/dev/stdout", "--format", "npy"];
    const { stdout } = await promisify(execFile)(process.execPath, parameters, {
      cwd: cli.folder,
      encoding: "buffer",
      timeout: 60_000,
    });
    expect(readNpy(new Uint8Array(stdout), "stdout").shape).toEqual([20, 2]);
  });

  test.each([
    ["x.xlsx", /ending that is not known.*\.csv.*--format/],
    ["x.npy.gz", /ending that is not known/],
    ["samples", /ending that is not known/],
    ["x.", /ending that is not known/],
    [".npy/x", /ending that is not known/],
  ])("%s is refused before any work", async (out, sentence) => {
    expect(await refused(["sample", "absent.safetensors", "--out", out])).toMatch(sentence);
  });

  test("a format chooses, but does not contradict the ending", async () => {
    await succeed([...sampling, "--out", "points.dat", "--format", "csv"]);
    expect((await readFile(cli.path("points.dat"), "utf8")).startsWith("x0,x1\n")).toBe(true);
    expect(await refused([...sampling, "--out", "y.csv", "--format", "npy"])).toMatch(/beside --format npy/);
    expect(await refused([...sampling, "--out", "-", "--json"])).toMatch(/--json/);
  });

  test("the model is not overwritten, whatever it is called, unless --force", async () => {
    const before = await bytesOf("model/model.safetensors");
    await symlink("model/model.safetensors", cli.path("link.csv"));
    await link(cli.path("model", "model.safetensors"), cli.path("hard.npy"));
    for (const out of ["model/model.safetensors", "./model/../model/model.safetensors", "link.csv", "hard.npy"]) {
      expect(await refused([...sampling, "--out", out])).toMatch(
        /file that is read, model\/model\.safetensors.*--force/,
      );
    }
    expect(await bytesOf("model/model.safetensors")).toEqual(before);
    await writeFile(cli.path("copy.csv"), before);
    await succeed(["sample", "copy.csv", ...solved, "--out", "copy.csv", "--force"]);
    expect((await readFile(cli.path("copy.csv"), "utf8")).startsWith("x0,x1\n")).toBe(true);
  });

  test("more than an array holds is a limit, said before any work", async () => {
    const counted = (count: string, out: string) =>
      refused(["sample", "model/model.safetensors", "--count", count, "--out", out]);
    expect(await counted("1e10", "x.csv")).toMatch(/--count: got "1e10", expected .*at most 2147483647/);
    expect(await counted("2147483647", "x.npz")).toMatch(/4 GiB/);
    const much = ["sample", "model/model.safetensors", "--count", "300000000", "--backend", "wasm"];
    expect(await refused([...much, "--out", "x.npz"])).toMatch(/4 GiB|one array holds/);
  });
});

describe("evaluate", () => {
  const judging = ["evaluate", "model/model.safetensors", "--data", "points.csv", ...solved];
  beforeAll(async () => {
    await succeed([...sampling, "--out", "points.csv"]);
  });

  test("--out has each row's number and log-density; their mean is what is printed", async () => {
    const { output } = await succeed([...judging, "--out", "rows.csv", "--json"]);
    const { columns, values, count } = readCsv(await bytesOf("rows.csv"), "rows.csv");
    expect(columns).toEqual(["row", "log_density"]);
    expect(count).toBe(20);
    expect([...values.filter((_, i) => i % 2 === 0)]).toEqual(Array.from({ length: 20 }, (_, row) => row));
    const mean = -values.filter((_, i) => i % 2 === 1).reduce((sum, value) => sum + value) / 20;
    const { negativeLogLikelihood, out } = JSON.parse(output);
    expect(negativeLogLikelihood).toBeCloseTo(mean, 12);
    expect(out).toBe("rows.csv");
    await succeed([...judging, "--out", "rows.npy"]);
    expect(readNpy(await bytesOf("rows.npy"), "rows.npy")).toEqual({ shape: [20, 2], data: values });
  });

  test("estimates come with their standard errors", async () => {
    await succeed([...judging, "--divergence", "hutchinson", "--probes", "4", "--out", "rows.npz"]);
    const arrays = await readNpz(await bytesOf("rows.npz"), "rows.npz");
    expect([...arrays.keys()]).toEqual(["row", "log_density", "standard_error"]);
    for (const { shape } of arrays.values()) expect(shape).toEqual([20]);
    expect(Math.max(...(arrays.get("standard_error")?.data ?? []))).toBeGreaterThan(0);
  });

  test("- is standard output; the summary goes to standard error", async () => {
    const { output, errors } = await succeed([...judging, "--out", "-"]);
    expect(output.split("\n", 1)[0]).toBe("row,log_density");
    expect(output.trimEnd().split("\n")).toHaveLength(21);
    expect(errors).toMatch(/negative log-likelihood/);
  });

  test("neither data nor model are overwritten, unless --force", async () => {
    const data = await bytesOf("points.csv");
    expect(await refused([...judging, "--out", "./points.csv"])).toMatch(/file that is read, points\.csv.*--force/);
    expect(await refused([...judging, "--out", "model/model.safetensors"])).toMatch(/file that is read/);
    expect(await bytesOf("points.csv")).toEqual(data);
    await writeFile(cli.path("mine.csv"), data);
    await succeed(["evaluate", "model/model.safetensors", "--data", "mine.csv", "--out", "mine.csv", "--force"]);
    expect((await readFile(cli.path("mine.csv"), "utf8")).startsWith("row,log_density\n")).toBe(true);
  });
});

describe("a file of weights alone", () => {
  /** As PyTorch's safetensors: two layers, 3 to 4 to 2. */
  function weights(): Uint8Array {
    const shapes = { "0.weight": [4, 3], "0.bias": [4], "2.weight": [2, 4], "2.bias": [2] };
    let at = 0;
    const header: Record<string, object> = {};
    for (const [name, shape] of Object.entries(shapes)) {
      const bytes = 4 * shape.reduce((product, size) => product * size, 1);
      header[name] = { dtype: "F32", shape, data_offsets: [at, at + bytes] };
      at += bytes;
    }
    const text = new TextEncoder().encode(JSON.stringify(header));
    const file = new Uint8Array(8 + text.length + at);
    new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
    file.set(text, 8);
    const values = Float32Array.from({ length: at / 4 }, (_, i) => Math.sin(i));
    file.set(new Uint8Array(values.buffer), 8 + text.length);
    return file;
  }

  test("opens with --activation, which matters; without, it is asked for", async () => {
    await writeFile(cli.path("torch.safetensors"), weights());
    const plain = ["sample", "torch.safetensors", ...solved, "--out", "-"];
    expect(await refused(plain)).toMatch(/activation.*silu.*--activation/);
    const samples = await Promise.all(
      ["silu", "relu"].map(async (kind) => (await succeed([...plain, "--activation", kind])).output),
    );
    expect(samples[0]).not.toBe(samples[1]);
    await succeed(["evaluate", "torch.safetensors", "--data", "points.csv", ...solved, "--activation", "silu"]);
  });

  test("is begun at by train --from with --activation; without, it is asked for", async () => {
    await writeFile(cli.path("begin.safetensors"), weights());
    const small = ["--backend", "wasm", "--batch", "8", "--steps", "1", "--rate", "1e-9"]; // to stay where it began
    const plain = ["train", "moons", "--from", "begin.safetensors", ...small];
    expect(await refused([...plain, "--out", "begun"])).toMatch(/begin\.safetensors.*--activation/);
    expect(await refused([...plain, "--out", "begun", "--activation", "silu", "--width", "4"])).toMatch(/--width/);
    await succeed([...plain, "--out", "begun", "--activation", "relu"]);
    const drawn = async (...model: string[]) => {
      await succeed(["sample", ...model, "--count", "5", ...solved, "--out", "drawn.npy", "--force"]);
      return readNpy(await bytesOf("drawn.npy"), "drawn.npy").data;
    };
    const [from, begun] = [
      await drawn("begin.safetensors", "--activation", "relu"),
      await drawn("begun/model.safetensors"),
    ];
    from.forEach((value, i) => {
      expect(begun[i]).toBeCloseTo(value, 5);
    });
    const again = ["train", "moons", "--from", "begun/model.safetensors", ...small, "--out", "again"];
    expect(await refused([...again, "--activation", "silu"])).toMatch(/silu.*relu, as the file says/);
  });

  test("a file that says its own is not told another", async () => {
    expect(await refused([...sampling, "--out", "x.csv", "--activation", "relu"])).toMatch(
      /relu.*silu, as the file says/,
    );
    await succeed([...sampling, "--out", "said.csv", "--activation", "silu"]);
  });
});
