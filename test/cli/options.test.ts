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
    return required === true || (name === "out" && command === "compare") ? [`--${name}`, "file/x.csv"] : [];
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
    [[...sample, "--solver", "dopri5", "--steps", "100"], /--steps 100.*--solver dopri5/],
    [[...sample, "--steps", "50"], /--steps 50.*default --solver dopri5/],
    [[...evaluate, "--steps", "50"], /--steps 50.*default --solver dopri5/],
    [[...evaluate, "--probes", "8"], /--probes 8.*default --divergence exact/],
    [[...evaluate, "--divergence", "exact", "--probes", "8"], /--probes 8.*--divergence exact/],
    [[...evaluate, "--seed", "3"], /--seed 3.*default --divergence exact/],
    [[...evaluate, "--format", "csv"], /--format csv.*without --out/],
    [[...evaluate, "--force"], /--force.*without --out/],
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
