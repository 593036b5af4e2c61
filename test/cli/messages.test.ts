// What messages say to someone at a command line: in its own options, with a way out, and no more than helps.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openData } from "../../src/cli/data.ts";
import { inOptions } from "../../src/cli/in-options.ts";
import { run } from "../../src/cli/program.ts";
import { shortly } from "../../src/cli/runtime.ts";
import { badStep } from "../../src/engine/bad-step.ts";
import { validationSettings } from "../../src/engine/held-out.ts";
import { completed, expectTrainingFits, unjudged } from "../../src/engine/trainer-settings.ts";
import { throwOnFailure } from "../../src/flow/solvers/failure.ts";
import { adam, arrayData, cfm, checkerboard, condOT, fdm, mlp } from "../../src/index.ts";
import type { PlanLimits } from "../../src/schedule/program.ts";

/** The sentence that something is refused with. */
async function refusal(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("not refused");
}

/** Options that the library has and the command has not. */
const LIBRARY =
  /minimumStep|maximum[A-Z]|tolerances|learning rate|epsilon|save it|estimator:|divergence:|no validation/;

const wasm: PlanLimits = {
  ...{ maxStorageBindings: 64, maxEpilogueGroups: 64, separateReadAndWrite: false },
  ...{ maxBufferBytes: 2 ** 32 - 65_536, maxBindingBytes: 2 ** 32 - 65_536, maxTotalBytes: 2 ** 32 - 65_536 },
};
const rows = (dimension: number) =>
  arrayData(
    Float64Array.from({ length: 200 * dimension }, (_, i) => Math.sin(i)),
    [200, dimension],
    { standardize: true },
  );
const settingsOf = (layers: number, options: object) =>
  completed(
    {
      ...{ network: mlp({ dimension: 2, hidden: Array(layers).fill(16) }), path: condOT(), loss: cfm() },
      ...{ data: checkerboard(), optimizer: adam() },
      ...options,
    },
    { validating: "validation" in options && options.validation !== undefined ? validationSettings : undefined },
  );

test("a solve that fails says numbers of three digits, and options that there are", async () => {
  for (const status of [2, 3] as const) {
    const progress = { status, time: 0.123456789, stepSize: 8.000000093488779e-7, accepted: 3, rejected: 1 };
    const sentence = await refusal(() => throwOnFailure(progress));
    expect(sentence).toMatch(/at t = 0\.123:/);
    if (status === 2) expect(sentence).toMatch("a step of 8e-7,");
    const here = inOptions(sentence, "sample");
    expect(here).toMatch("Raise --tolerance, or take fixed steps: --solver rk4.");
    expect(here).not.toMatch(LIBRARY);
  }
});

test("a step that is bad names --rate, and what is saved", () => {
  const row = { step: 3, loss: Number.NaN, gradientNorm: 1, learningRate: 1 };
  for (const bad of [row, { ...row, loss: 1, gradientNorm: Number.NaN }, { ...row, loss: 1 }]) {
    const here = inOptions(badStep(bad as never, settingsOf(2, {})).message, "train");
    expect(here).toMatch("What was trained before this step is saved. To go on, lower --rate.");
    expect(here).not.toMatch(LIBRARY);
  }
});

test("a misspelt option gets its suggestion alone; what is no misspelling, the names where they are few", async () => {
  const misspelt = await refusal(() => run(["train", "moons", "--out", "x", "--stpes", "3"]));
  expect(misspelt).toMatch(/got "--stpes", expected an option of this command\. Did you mean --steps\? [^.]*--help\.$/);
  const foreign = await refusal(() => run(["verify", "--steps", "3"]));
  expect(foreign).toMatch("one of --backend, --threads, --storage, --tolerance, --json, --quiet. See --help");
  expect(foreign).not.toMatch("Did you mean");
  const many = await refusal(() => run(["train", "moons", "--out", "x", "--xylophone", "3"]));
  expect(many).toMatch("expected an option of this command. See --help");
  expect(many).not.toMatch(/Did you mean|\.\.\./);
});

test("a folder among data is called one, and a file without an ending another kind", async () => {
  const folder = await mkdtemp(join(tmpdir(), "divflow-messages-"));
  const before = process.cwd();
  process.chdir(folder);
  try {
    const made = join(folder, "points");
    await writeFile(made, "");
    expect(await refusal(() => openData(folder))).toMatch(/got "a folder", .*\.csv, .* Name a file in it\.$/);
    expect(await refusal(() => openData("."))).toMatch('got "a folder"');
    expect(await refusal(() => openData("points"))).toMatch('got "a file of another kind"');
    expect((await openData("moons")).name).toBe("moons");
  } finally {
    process.chdir(before);
    await rm(folder, { recursive: true });
  }
});

test("why there is no GPU is left to info; why there is one thread is said", () => {
  const reason = "WebAssembly on the CPU, as WebGPU has no GPU here: no adapter: v. 3 required.";
  const short = "WebAssembly on the CPU: no GPU here (divflow info says why).";
  expect(shortly(reason)).toBe(short);
  expect(shortly(`${reason} One thread, because a. b.`)).toBe(`${short} One thread, because a. b.`);
  expect(shortly("WebAssembly, as asked.")).toBe("WebAssembly, as asked.");
});

test("what is too large for likelihoods held out is refused by name, before anything is planned", async () => {
  const large = (layers: number, options: object = {}) => {
    const network = mlp({ dimension: 10, hidden: Array(layers).fill(16) });
    return expectTrainingFits(settingsOf(1, { network, data: rows(10), validation: 0.1, ...options }), wasm);
  };
  const sentence = await refusal(() => large(300));
  expect(sentence).toMatch("The likelihood of rows held out needs 13244 layers");
  expect(sentence).toMatch("Take no validation, or a smaller network.");
  expect(inOptions(sentence, "train")).toMatch("Take --validation none, or");
  const most = Number(/at most (\d+) beside/.exec(sentence)?.[1]);
  expect(() => large(most)).not.toThrow();
  expect(await refusal(() => large(most + 1))).toMatch("rows held out");
  expect(() => large(300, { validation: undefined })).not.toThrow();
});

test("training that is too large says what of it, in units, and what makes it fit", async () => {
  const fits = (options: object) => expectTrainingFits(settingsOf(4, { ...options }), wasm);
  const batch = await refusal(() =>
    fits({ network: mlp({ dimension: 2, hidden: [512, 512, 512, 512] }), batchSize: 2 ** 20 }),
  );
  expect(batch).toMatch(
    /The training step needs \d+\.?\d* GB, where the device has 4\.29 GB\. Take a smaller batch, or/,
  );
  const network = mlp({ dimension: 2, hidden: [30_000, 30_000] });
  expect(await refusal(() => fits({ network }))).toMatch(/needs \d+\.?\d* GB, where|a vector of/);
  const probes = await refusal(() =>
    fits({ loss: fdm({ probes: 256 }), network: mlp({ dimension: 2, hidden: Array(200).fill(8) }) }),
  );
  expect(probes).toMatch(/The training step needs [\d,]+ layers .* Take fewer probes, or a smaller network\./);
});

test("what can be trained but not judged exactly is warned of", () => {
  const deep = (layers: number) => {
    const settings = settingsOf(1, { network: mlp({ dimension: 10, hidden: Array(layers).fill(16) }), data: rows(10) });
    return unjudged(settings, wasm);
  };
  expect(deep(158)).toEqual([]);
  const [warning = ""] = deep(159);
  expect(warning).toMatch('A log-density with divergence "exact" needs');
  expect(warning).toMatch('Take divergence: "hutchinson" with few probes, or');
  expect(inOptions(warning, "train")).toMatch("Take evaluate --divergence hutchinson, or");
  for (const command of ["train", "compare", "sample", "evaluate"]) {
    expect(inOptions(warning, command)).not.toMatch(LIBRARY);
  }
});
