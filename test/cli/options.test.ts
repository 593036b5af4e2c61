/** What holds for every command and each of its options: help names it, nonsense is refused and nothing written. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ArgumentDeclarations } from "../../src/cli/arguments.ts";
import { exitCodeOf } from "../../src/cli/output.ts";
import { commands, run } from "../../src/cli/program.ts";
import { duration, recentMean, timeLeft } from "../../src/cli/progress.ts";

/** A value that no option has; neither a file nor a folder of this name can be made, for "file" is a file. */
const NONSENSE = "file/nonsense";

const all = Object.entries(commands).flatMap(([command, { args }]) =>
  Object.entries(args as ArgumentDeclarations).map(([name, declaration]) => ({ command, name, ...declaration })),
);
const options = all.filter(({ type }) => type !== "positional");

/** Of a command line that is right but for what is added: what it needs. */
function needed(command: string, but: string): string[] {
  const own = all.filter((one) => one.command === command && one.name !== but);
  return own.flatMap(({ name, type, required }) => {
    if (type === "positional") return required === true ? ["moons"] : [];
    const isNeeded = required === true || `${command} ${name}` === "evaluate data";
    return isNeeded || (name === "out" && command === "compare") ? [`--${name}`, "file/x.csv"] : [];
  });
}

let folder: string;
const before = process.cwd();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "divflow-options-"));
  await writeFile(join(folder, "file"), "");
  process.chdir(folder);
});
afterAll(async () => {
  process.chdir(before);
  await rm(folder, { recursive: true });
});

/** Runs what must be refused and gives the sentence. */
async function refused(parameters: readonly string[]): Promise<string> {
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    const error = await run(parameters).then(
      (code) => new Error(`ended with ${code}`),
      (error: Error) => error,
    );
    if (error.name !== "CLIError") expect(exitCodeOf(error), String(error)).toBe(2); // citty's own: main.ts makes it a 2
    expect(written).not.toHaveBeenCalled();
    expect(await readdir(folder)).toEqual(["file"]);
    return error.message;
  } finally {
    written.mockRestore();
  }
}

async function printed(parameters: readonly string[]): Promise<string> {
  let output = "";
  const written = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    output += text;
    return true;
  });
  try {
    expect(await run(parameters)).toBe(0);
    return output;
  } finally {
    written.mockRestore();
  }
}

describe.each(Object.keys(commands))("%s", (command) => {
  test("help names every option, in all the ways to ask for it, without an escape code", async () => {
    const help = await printed(["help", command]);
    for (const { name } of all.filter((one) => one.command === command && one.type !== "positional")) {
      expect(help).toContain(`--${name}`);
    }
    expect(help).not.toContain("\u001b");
    for (const asked of [
      [command, "--help"],
      [command, "-h"],
      ["--help", command],
    ]) {
      expect(await printed(asked)).toBe(help);
    }
  });
});

test("the list names every command and says what it is for", async () => {
  const list = await printed(["help"]);
  for (const [name, { meta }] of Object.entries(commands)) {
    expect(list).toMatch(new RegExp(` ${name} +${(meta as { description: string }).description}`));
  }
  expect(list).not.toContain("\u001b");
});

describe.each(options)("$command --$name", ({ command, name, type }) => {
  if (type === "boolean") {
    test("takes no value", async () => {
      expect(await refused([command, ...needed(command, name), `--${name}=3`])).toMatch(`--${name}`);
    });
    return;
  }

  test("refuses nonsense", async () => {
    const sentence = await refused([command, ...needed(command, name), `--${name}`, NONSENSE]);
    expect(sentence).toMatch(new RegExp(`--${name}|nonsense|no such file`));
  });

  test.each([[[`--${name}`]], [[`--${name}=`]], [[`--${name}`, "--json"]]])("needs a value: %s", async (given) => {
    expect(await refused([command, ...needed(command, name), ...given])).toMatch(`--${name}`);
  });

  test("misspelt, it is suggested", async () => {
    const misspelt = `--${name.slice(0, -1)}${name.at(-1)}x`;
    expect(await refused([command, ...needed(command, ""), misspelt, "1"])).toMatch(/Did you mean/);
  });
});

test.each([
  ["trian", "train"],
  ["Sample", "sample"],
  ["eval", "evaluate"],
  ["hlep", "help"],
  ["versify", "verify"],
])("%s: did you mean %s?", async (given, meant) => {
  expect(await refused([given])).toMatch(`Did you mean ${meant}?`);
  expect(await refused(["help", given])).toMatch(`Did you mean ${meant}?`);
});

test("help is among what may have been meant", async () => {
  expect(await refused(["sample", "m", "--hepl"])).toMatch("Did you mean --help?");
});

describe("what a choice makes void is refused, by default too; the defaults of options do not count as given", () => {
  const sample = ["sample", "m.safetensors", "--out", "x.npy"];
  const evaluate = ["evaluate", "m.safetensors", "--data", "x.npy"];
  const train = ["train", "moons", "--out", "x"];
  test.each([
    [[...sample, "--solver", "euler", "--tolerance", "1e-5"], /--tolerance 1e-5.*--solver euler/],
    [[...sample, "--solver=rk4", "--tolerance=1e-3"], /--tolerance 1e-3.*--solver rk4/],
    [[...sample, "--solver=tsit5", "--grid=cosine"], /--grid cosine.*--solver tsit5/],
    [[...sample, "--solver=tsit5", "--steps=9"], /--steps 9.*--solver tsit5/],
    [[...sample, "--solver=euler-maruyama", "--tolerance=1e-3"], /--tolerance 1e-3.*--solver euler-maruyama/],
    [[...sample, "--solver=tsit5", "--diffusion=2"], /--diffusion 2.*--solver tsit5/],
    [[...sample, "--solver=euler", "--diffusion-kind=constant"], /--diffusion-kind constant.*--solver euler/],
    [[...sample, "--diffusion=2"], /--diffusion 2.*--solver dopri5/],
    [[...sample, "--solver", "dopri5", "--steps", "100"], /--steps 100.*--solver dopri5/],
    [[...sample, "--steps", "50"], /--steps 50.*default --solver dopri5/],
    [[...evaluate, "--steps", "50"], /--steps 50.*default --solver dopri5/],
    [[...evaluate, "--probes", "8"], /--probes 8.*default --divergence exact/],
    [[...evaluate, "--divergence", "exact", "--probes", "8"], /--probes 8.*--divergence exact/],
    [[...evaluate, "--seed", "3"], /--seed 3.*default --divergence exact/],
    [[...evaluate, "--format", "csv"], /--format csv.*without --out/],
    [[...evaluate, "--force"], /--force.*without --out/],
    [["export", "m.safetensors", "--format", "onxn"], /--format.*onnx/],
    [["export", "m.safetensors", "--title", "Mine"], /--title.*Mine with --format onnx/],
    [[...sample, "--backend", "webgpu", "--threads", "2"], /--threads 2.*--backend webgpu/],
    [[...train, "--backend", "reference", "--threads", "1"], /--threads 1.*--backend reference/],
    [[...train, "--loss", "cfm", "--divergence", "0.3"], /--divergence 0.3.*--loss cfm/],
    [[...train, "--loss", "cfm", "--form", "slice"], /--form.*--loss cfm/],
    [[...train, "--loss", "cfm", "--velocity", "whole"], /--velocity.*--loss cfm/],
    [[...train, "--loss", "cfm", "--estimator", "exact"], /--estimator.*--loss cfm/],
    [[...train, "--loss", "cfm", "--probe", "gaussian"], /--probe.*--loss cfm/],
    [[...train, "--loss", "paper-2d", "--form", "slice"], /--form.*--loss paper-2d/],
    [[...train, "--estimator", "exact", "--probe", "gaussian"], /--probe.*--estimator exact/],
    [["compare", "moons", "--estimator", "exact", "--probe", "gaussian"], /--probe.*--estimator exact/],
    [[...train, "--estimator", "hutch++", "--form", "slice"], /--form slice.*--estimator hutch\+\+/],
    [["bench", "--backend", "webgpu", "--threads", "2"], /--threads.*--backend webgpu/],
    [["bench", "--backend", "webgpu", "--simd", "plain"], /--simd.*--backend webgpu/],
  ])("%j", async (parameters, sentence) => {
    expect(await refused(parameters)).toMatch(sentence);
  });

  test.each([
    [[...sample, "--solver", "euler", "--steps", "10"]],
    [[...sample, "--tolerance", "1e-3"]],
    [[...evaluate, "--divergence", "hutchinson", "--probes", "4", "--seed", "1"]],
    [[...sample, "--threads", "2"]],
    [[...sample, "--backend", "wasm", "--threads", "2"]],
    [["export", "m.safetensors", "--format", "onnx", "--force"]],
  ])("not %j: there is no such file", async (parameters) => {
    expect(await refused(parameters)).toMatch(/no such file/);
  });
});

test("numbers that are mistakes are refused", async () => {
  for (const count of ["0x10", "1_000", "ten", "1e400", "NaN", "-1", "0", "1.5", " "]) {
    expect(await refused(["sample", "m", "--out", "x.npy", `--count=${count}`])).toMatch(/--count.*positive integer/);
  }
  expect(await refused(["sample", "m", "--out", "x.npy", "--threads", "65"])).toMatch(/--threads.*at most 64/);
});

describe("progress", () => {
  test("the time left goes by the speed since the first value, not since 0", () => {
    let clock = 5000;
    const left = timeLeft(1000, () => clock);
    expect(left(400)).toBeUndefined(); // a resumed run: these steps took no time
    clock += 10_000;
    expect(left(500)).toBe("50 s left");
    clock += 10_000;
    expect(left(1000)).toBeUndefined();
  });

  test("durations are said in two units", () => {
    const said = [0.4, 59.4, 59.6, 200, 3599.7, 7500, 90_000, 200_000].map(duration);
    expect(said).toEqual(["0 s", "59 s", "1 min 0 s", "3 min 20 s", "1 h 0 min", "2 h 5 min", "1 d 1 h", "2 d 7 h"]);
  });

  test("the mean is over the last 200 values", () => {
    const mean = recentMean();
    expect(mean([4])).toBe(4);
    expect(mean([2, 3])).toBe(3);
    expect(mean(new Array(200).fill(7))).toBe(7);
  });
});

describe("absurd numbers are refused before the first file is looked at", () => {
  const missing: Readonly<Record<string, string[]>> = {
    train: ["train", "missing.csv", "--out", "run"],
    compare: ["compare", "missing.csv", "--out", "run"],
    sample: ["sample", "missing.safetensors", "--out", "x.npy"],
    evaluate: ["evaluate", "missing.safetensors", "--data", "missing.csv"],
    bench: ["bench"],
    verify: ["verify", "missing.json"],
  };
  const numbers: Readonly<Record<string, string[]>> = {
    train:
      "steps width layers batch divergence every rate seed validation patience jitter ema weight-decay threads header decimal".split(
        " ",
      ),
    compare:
      "steps width layers batch divergence rate seed validation patience jitter ema weight-decay threads seeds points test equal decimal".split(
        " ",
      ),
    sample: "count tolerance diffusion seed threads".split(" "),
    evaluate: "probes tolerance seed threads header decimal".split(" "),
    bench: "width threads seconds".split(" "),
    verify: "tolerance threads".split(" "),
  };
  const beside: Readonly<Record<string, string[]>> = { probes: ["--divergence", "hutchinson"] };
  const seeded = (command: string, name: string) =>
    command === "evaluate" && name === "seed" ? ["--divergence", "hutchinson"] : [];

  const cases = Object.entries(numbers).flatMap(([command, names]) =>
    names.flatMap((name) => ["1e400", "9007199254740993", "-1"].map((value) => ({ command, name, value }))),
  );
  // Numbers that are large and have no meaning that is absurd: a weight is one, however large, as long as f32 holds it.
  const held = /^(divergence|rate|jitter|weight-decay|tolerance|patience)$/;

  test.each(cases.filter(({ name, value }) => !(value === "9007199254740993" && held.test(name))))(
    "$command --$name $value",
    async ({ command, name, value }) => {
      const given = [...(missing[command] as string[]), ...(beside[name] ?? []), ...seeded(command, name)];
      const sentence = await refused([...given, `--${name}=${value}`]);
      expect(sentence).toMatch(`--${name}`);
      expect(sentence).not.toMatch("no such file");
    },
  );

  test.each([
    ["train", "--layers", "1e8", /--layers.*at most 1024/],
    ["train", "--layers", "1e9", /--layers.*at most 1024/],
    ["train", "--steps", "4294967296", /--steps.*at most 4294967295/],
    ["train", "--rate", "1e-300", /learningRate|rate/],
    ["train", "--divergence", "1e300", /--divergence/],
    ["train", "--ema", "0.99999999999", /decay of ema/],
    ["compare", "--points", "1e12", /--points.*at most 4194304/],
    ["compare", "--seeds", "1e12", /--seeds.*at most 1000/],
    ["compare", "--seed", "9007199254740991", /--seed.*from 0 to 9007199253740988/],
    ["sample", "--count", "1e12", /--count.*at most 2147483647/],
    ["bench", "--seconds", "1e12", /--seconds.*at most 86400/],
  ] as const)("%s %s %s names the largest", async (command, option, value, sentence) => {
    expect(await refused([...(missing[command] as string[]), option, value])).toMatch(sentence);
  });

  test("a compare at the largest seed, and files that are missing, come to the file", async () => {
    const last = ["--seed", "9007199253740988", "--points", "4194304", "--layers", "1024"];
    expect(await refused([...(missing["compare"] as string[]), ...last])).toMatch("missing.csv");
  });
});
