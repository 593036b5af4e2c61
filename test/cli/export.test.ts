/** What `export` writes, where, and what it keeps. */
import { copyFile, readFile, stat, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { load } from "../../src/index.ts";
import { relativeError } from "../differences.ts";
import { withRuntime } from "../engine/small.ts";
import { runBatches } from "../onnx/onnx-runtime.ts";
import { tiny, useCli } from "./run.ts";

const cli = useCli();
const bytesOf = async (name: string) => new Uint8Array(await readFile(cli.path(name)));

beforeAll(async () => {
  const rows = Array.from({ length: 60 }, (_, i) => `${1e3 + (i % 7)},${(i * i) % 11}`);
  await writeFile(cli.path("own.csv"), `a,b\n${rows.join("\n")}\n`);
  const { code, errors } = await cli.run(["train", "own.csv", ...tiny, "--steps", "10", "--out", "own"]);
  expect(code, errors).toBe(0);
});

describe("export", () => {
  test("writes the model's velocity beside it, for ONNX Runtime", async () => {
    const { code, output, errors } = await cli.run(["export", "own/model.safetensors", "--format", "onnx"]);
    expect(code, errors).toBe(0);
    expect(output).toMatch(/^Wrote the model's velocity, \d+\.\d\d MB of ONNX, to own\/model\.onnx\n$/);
    const points = [1003, 4, 1001, 9];
    const times = [0.25, 0.5];
    const [result] = await runBatches(await bytesOf("own/model.onnx"), [
      { x: { type: "float", shape: [2, 2], data: points }, t: { type: "float", shape: [2], data: times } },
    ]);
    await withRuntime("wasm", async (runtime) => {
      const model = await load(runtime, await bytesOf("own/model.safetensors"));
      const own = await model.velocity(points, times);
      expect(relativeError(result?.["velocity"]?.data ?? [], own)).toBeLessThan(1e-5);
    });
  });

  test("to a file of another name, to standard output, and as a document", async () => {
    const { output } = await cli.run(["export", "own/model.safetensors", "--out", "mine.bin", "--json"]);
    const { size } = await stat(cli.path("mine.bin"));
    expect(JSON.parse(output)).toEqual({ out: "mine.bin", format: "onnx", bytes: size });
    const piped = await cli.run(["export", "own/model.safetensors", "--out", "-"]);
    expect(piped.code).toBe(0);
    expect(piped.errors).toMatch("to standard output");
    expect(piped.output.length).toBeGreaterThan(size / 2); // as text, whose pieces may be one character
    const both = await cli.run(["export", "own/model.safetensors", "--out", "-", "--json"]);
    expect([both.code, both.output]).toEqual([2, ""]);
  });

  test("writes a page that holds the model, under its name or a title", async () => {
    const { code, output, errors } = await cli.run(["export", "own/model.safetensors", "--format", "html"]);
    expect(code, errors).toBe(0);
    expect(output).toMatch(/^Wrote a page that samples the model, 0\.\d\d MB of HTML, to own\/model\.html\n$/);
    const page = new TextDecoder().decode(await bytesOf("own/model.html"));
    expect(/<title>([^<]*)</.exec(page)?.[1]).toBe("Samples of model");
    const held = Buffer.from(/id="model">([^<]*)</.exec(page)?.[1] ?? "", "base64");
    await withRuntime("wasm", async (runtime) => {
      const [own, given] = [await load(runtime, held), await load(runtime, await bytesOf("own/model.safetensors"))];
      expect((await own.sample({ count: 9, seed: 3 })).values).toEqual(
        (await given.sample({ count: 9, seed: 3 })).values,
      );
    });
    const titled = [
      "export",
      "own/model.safetensors",
      "--format",
      "html",
      "--title",
      "Mine & yours",
      "--out",
      "mine.html",
    ];
    expect((await cli.run(titled)).code).toBe(0);
    const text = new TextDecoder().decode(await bytesOf("mine.html"));
    expect(/<title>([^<]*)</.exec(text)?.[1]).toBe("Mine &amp; yours");
  });

  test("keeps the model it reads, and those of others, unless --force", async () => {
    await copyFile(cli.path("own/model.safetensors"), cli.path("other.safetensors"));
    const before = await bytesOf("own/model.safetensors");
    for (const out of ["own/model.safetensors", "other.safetensors", "own/config.json"]) {
      const { code, errors } = await cli.run(["export", "own/model.safetensors", "--out", out]);
      expect(code).toBe(2);
      expect(errors).toMatch(/--force overwrites this one/);
    }
    expect(await bytesOf("own/model.safetensors")).toEqual(before);
    const { code } = await cli.run(["export", "own/model.safetensors", "--out", "other.safetensors", "--force"]);
    expect(code).toBe(0);
    expect(await bytesOf("other.safetensors")).toEqual(await bytesOf("own/model.onnx"));
  });

  test.each([
    ["what is no model", ["export", "own.csv"], /own\.csv/],
    ["a model that is not there", ["export", "missing.safetensors"], /no such file/],
    ["a format that is not known", ["export", "own/model.safetensors", "--format", "onxn"], /--format.*onnx/],
  ])("refuses %s", async (_what, parameters, sentence) => {
    const { code, output, errors } = await cli.run(parameters);
    expect({ code, output }).toEqual({ code: 2, output: "" });
    expect(errors).toMatch(sentence);
  });
});
