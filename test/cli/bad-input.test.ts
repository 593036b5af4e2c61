/** Bad input: exit code 2, a sentence that helps on standard error, nothing on standard output, nothing written. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { tiny, useCli } from "./run.ts";

const cli = useCli();

/** Runs what must be refused and gives the sentence. */
async function refused(parameters: readonly string[]): Promise<string> {
  const before = await readdir(cli.folder);
  const { code, output, errors } = await cli.run(parameters);
  expect(errors).not.toMatch(/\n\s+at /); // no stack: it is not a fault of ours
  expect({ code, output }).toEqual({ code: 2, output: "" });
  expect(await readdir(cli.folder)).toEqual(before);
  return errors;
}

describe("arguments", () => {
  test.each([
    ["an unknown command", ["trian"], /trian.*compare, experiment, train, sample/],
    ["an unknown part of the bench", ["bench", "--only", "fdm,cmf"], /cmf.*logdensity/],
    ["a width whose losses nobody knows", ["bench", "--width", "65"], /65.*512/],
    ["no threads", ["bench", "--threads", "0"], /--threads.*positive integer/],
    ["an unknown option", ["train", "checkerboard", "--out", "x", "--witdh", "3"], /--witdh.*Did you mean --width\?/s],
    ["an option without its value", ["train", "checkerboard", "--out"], /--out.*a value/],
    ["an option twice", ["train", "moons", "--out", "x", "--steps", "1", "--steps=2"], /--steps: got "two values"/],
    ["a missing option", ["train", "checkerboard"], /--out/i],
    ["a missing argument", ["sample", "--count", "3", "--out", "x.npy"], /model/i],
    ["too many arguments", ["train", "moons", "rings", "--out", "x"], /at most 1/],
    ["an unknown data set", ["train", "chequerboard", "--out", "x"], /checkerboard/],
    ["an unknown loss", ["train", "moons", "--out", "x", "--loss", "fmd"], /Did you mean fdm\?/],
    ["an unknown path", ["train", "moons", "--out", "x", "--path", "straight"], /cond-ot/],
    ["half a velocity", ["train", "moons", "--out", "x", "--velocity", "half"], /--velocity.*detached.*whole/],
    ["an unknown activation", ["train", "moons", "--out", "x", "--activation", "swosh"], /silu/],
    ["an unknown backend", ["train", "moons", "--out", "x", "--backend", "cuda"], /wasm/],
    ["storage of another name", ["train", "moons", "--out", "x", "--storage", "f8"], /--storage.*f32, f16/],
    ["f16 on no GPU", ["train", "moons", "--out", "x", "--backend", "wasm", "--storage", "f16"], /storage.*webgpu/],
    ["half a thread", ["train", "moons", "--out", "x", "--backend", "wasm", "--threads", "1.5"], /--threads/],
    ["negative steps", ["train", "moons", "--out", "x", "--steps=-5"], /--steps.*positive integer/],
    ["a fractional batch", ["train", "moons", "--out", "x", "--batch", "1.5"], /--batch.*positive integer/],
    ["a width that is no number", ["train", "moons", "--out", "x", "--width", "wide"], /--width.*positive integer/],
    ["a negative weight", ["train", "moons", "--out", "x", "--divergence=-1"], /--divergence.*at least 0/],
    ["a negative seed", ["train", "moons", "--out", "x", "--seed=-1"], /--seed.*0 to 2\^53/],
    ["a count of nothing", ["sample", "m.safetensors", "--count", "0", "--out", "x.npy"], /--count.*positive integer/],
    ["a bad tolerance", ["sample", "m.safetensors", "--count", "1", "--out", "x.npy", "--tolerance", "0"], /positive/],
    ["an unknown equality", ["compare", "moons", "--equal", "time", "--out", "x"], /--equal.*both, seconds, steps/],
    ["no seeds to compare", ["compare", "moons", "--seeds", "0", "--out", "x"], /--seeds.*positive integer/],
    ["an unknown solver", ["sample", "m.safetensors", "--count", "1", "--out", "x.npy", "--solver", "rk5"], /rk4/],
  ])("%s", async (_, parameters, sentence) => {
    expect(await refused(parameters)).toMatch(sentence);
  });
});

const resumed = ["train", "moons", "--resume", "model/model.safetensors", "--backend", "wasm"];
const goingOn = (name: string) => [
  ...["train", "moons", "--resume", `${name}/model.safetensors`, "--out", name],
  ...["--backend", "wasm", "--steps", "9"],
];

describe("files", () => {
  beforeAll(async () => {
    await mkdir(cli.path("folder.csv"));
    await mkdir(cli.path("folder.safetensors"));
    await writeFile(cli.path("empty.csv"), "");
    await writeFile(cli.path("holes.csv"), "1,2\n3,NaN\n");
    await writeFile(cli.path("ragged.csv"), "1,2\n3\n");
    await writeFile(cli.path("words.npy"), "these are not points");
    await writeFile(cli.path("points.csv"), "1,2,3\n4,5,6\n7,8,10\n");
    await writeFile(cli.path("short.safetensors"), new Uint8Array(5));
    await writeFile(cli.path("huge-header.safetensors"), new Uint8Array(64).fill(0xff));
    await writeFile(cli.path("kept.npy"), "precious");
    const { code, errors } = await cli.run(["train", "moons", "--out", "model", ...tiny, "--steps", "5"]);
    expect(code, errors).toBe(0);
    const model = await readFile(cli.path("model", "model.safetensors"));
    await writeFile(cli.path("truncated.safetensors"), model.subarray(0, model.length - 8));
    await writeFile(cli.path("alone.safetensors"), model);
    await mkdir(cli.path("damaged"));
    await mkdir(cli.path("compared", "cfm"), { recursive: true });
    await mkdir(cli.path("compared", "fdm"));
    await writeFile(cli.path("damaged", "model.safetensors"), model);
    await writeFile(cli.path("damaged", "metrics.jsonl"), `{"step":1}\n${"\u001b[2J".repeat(9999)}\n{"step":3}\n`);
    await mkdir(cli.path("nothing"));
    await writeFile(cli.path("nothing", "model.safetensors"), model);
    await writeFile(cli.path("nothing", "metrics.jsonl"), '{"step":1}\nnull\n{"step":3}\n');
    await writeFile(cli.path("case.json"), "{}");
    await writeFile(cli.path("broken.json"), "{");
  });

  test.each([
    ["no such data", ["train", "absent.csv", "--out", "x"], /absent\.csv.*no such file/],
    ["a folder as data", ["train", "folder.csv", "--out", "x"], /folder\.csv.*directory/],
    ["an empty file", ["train", "empty.csv", "--out", "x"], /empty\.csv/],
    ["a value that is not finite", ["train", "holes.csv", "--out", "x"], /holes\.csv.*2/s],
    ["rows of unequal length", ["train", "ragged.csv", "--out", "x"], /ragged\.csv.*2/s],
    ["a file that is no .npy", ["train", "words.npy", "--out", "x"], /words\.npy/],
    ["a file where the run folder should be", ["train", "moons", "--out", "kept.npy"], /--out kept\.npy/],
    ["no such model", ["sample", "absent.safetensors", "--count", "1", "--out", "x.npy"], /no such file/],
    ["a folder as model", ["sample", "folder.safetensors", "--count", "1", "--out", "x.npy"], /directory/],
    ["a model of 5 bytes", ["sample", "short.safetensors", "--count", "1", "--out", "kept.npy"], /safetensors|bytes/],
    ["a huge header", ["sample", "huge-header.safetensors", "--count", "1", "--out", "kept.npy"], /header/],
    ["a truncated model", ["sample", "truncated.safetensors", "--count", "1", "--out", "kept.npy"], /bytes|end/],
    ["a truncated model to resume", ["train", "moons", "--resume", "truncated.safetensors", "--out", "x"], /bytes/],
    ["settings beside --resume", [...resumed, "--out", "x", "--width", "8"], /--width.*beside --resume/],
    ["a resumed run of unknown data", ["train", "mons", ...resumed.slice(2), "--out", "x"], /Did you mean moons\?/],
    ["a resumed run of other data", ["train", "rings", ...resumed.slice(2), "--out", "x"], /began with/],
    ["a resumed run of unknown length", ["train", "moons", "--resume", "alone.safetensors", "--out", "x"], /--steps/],
    [
      "damaged metrics of a resumed run",
      goingOn("damaged"),
      /metrics\.jsonl, line 2: got "\\u001b\[2J.{1,200}expected/,
    ],
    ["metrics that hold nothing", goingOn("nothing"), /metrics\.jsonl, line 2: got "null", expected/],
    ["a folder that holds a run", ["train", "moons", "--out", "model"], /holds a run \(model\.safetensors\).*--force/],
    ["the same, spelled otherwise", ["train", "moons", "--out", "./damaged/../model"], /holds a run/],
    ["the same, for a comparison", ["compare", "moons", "--out", "model"], /holds a run.*--force/],
    ["a comparison that was stopped", ["train", "moons", "--out", "compared"], /holds a run \(cfm, fdm\)/],
    ["a resumed run into another's folder", [...resumed.slice(0, 3), "alone.safetensors", "--out", "model"], /holds/],
    ["a folder inside a file", ["train", "moons", "--out", "kept.npy/x"], /--out kept\.npy.*through a file/],
    [
      "a run folder as model",
      ["sample", "model", "--count", "1", "--out", "x.npy"],
      /model: .*Try model\/model\.safetensors/,
    ],
    ["a folder as output", ["sample", "model/model.safetensors", "--count", "1", "--out", "folder.csv"], /directory/],
    ["an output without a folder", ["sample", "model/model.safetensors", "--count", "1", "--out", "a/b.npy"], /Make a/],
    ["points of another dimension", ["evaluate", "model/model.safetensors", "--data", "points.csv"], /3 numbers.*2/],
    ["a case that is no JSON", ["verify", "broken.json", "--backend", "reference"], /broken\.json/],
    ["a case without fields", ["verify", "case.json", "--backend", "reference"], /case\.json/],
  ])("%s", async (_, parameters, sentence) => {
    expect(await refused(parameters)).toMatch(sentence);
    expect(await readFile(cli.path("kept.npy"), "utf8")).toBe("precious");
  });
});
