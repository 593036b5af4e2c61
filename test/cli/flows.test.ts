// Paths, outputs, weights, starts and couplings by options: what they become, what files and folders keep of them, and which
// combinations are refused.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { readRecipe, trainerOptions } from "../../src/cli/recipe.ts";
import { readNpy, writeNpy } from "../../src/data.ts";
import { tiny, useCli } from "./run.ts";

const cli = useCli();
const bytesOf = async (...names: string[]) => new Uint8Array(await readFile(cli.path(...names)));

async function succeed(parameters: readonly string[]) {
  const ended = await cli.run(parameters);
  expect(ended.code, ended.errors).toBe(0);
  return ended;
}

async function refused(parameters: readonly string[]): Promise<string> {
  const { code, output, errors } = await cli.run(parameters);
  expect({ code, output }, errors).toEqual({ code: 2, output: "" });
  return errors
    .split("\n")
    .filter((line) => line.startsWith("divflow: "))
    .join();
}

beforeAll(async () => {
  await mkdir(cli.folder, { recursive: true });
  const rows = Array.from({ length: 40 }, (_, i) => [Math.sin(i), 5 + Math.cos(3 * i), i % 2 === 0 ? "a" : "b"]);
  await writeFile(cli.path("ends.csv"), `x,y,kind\n${rows.map((row) => row.join(",")).join("\n")}\n`);
  await writeFile(cli.path("starts.csv"), `y,x\n${rows.map(([x, y]) => [y, x].join(",")).join("\n")}\n`);
  await writeFile(cli.path("wide.npy"), writeNpy(new Float32Array(9), [3, 3]));
});

describe("options become the library's parts", () => {
  test.each([
    [
      { path: "ve", "sigma-min": "0.05", "sigma-max": "8" },
      { name: "ve", options: { sigmaMin: 0.05, sigmaMax: 8 } },
    ],
    [{ path: "ve-sde" }, { name: "ve-sde", options: { sigmaMin: 1e-3, sigmaMax: 300 } }],
    [{ "sigma-min": "0.1" }, { name: "cond-ot", options: { sigmaMin: 0.1 } }],
    [
      { path: "vp", "beta-min": "0.2", "beta-max": "10" },
      { name: "vp", options: { betaMin: 0.2, betaMax: 10 } },
    ],
    [
      { path: "polynomial", degree: "2" },
      { name: "polynomial", options: { degree: 2 } },
    ],
    [
      { path: "brownian-bridge", sigma: "0.5" },
      { name: "brownian-bridge", options: { sigma: 0.5 } },
    ],
    [
      { path: "ve", output: "noise", "data-deviation": "2" },
      { name: "with-output", options: { output: "noise", path: { name: "ve" }, dataDeviation: 2 } },
    ],
    [
      { output: "score" },
      { name: "with-output", options: { output: "score", path: { name: "cond-ot", options: { sigmaMin: 0 } } } },
    ],
  ])("the path of %j", async (args, expected) => {
    expect((await readRecipe("moons", args)).path).toMatchObject(expected);
  });

  test.each([
    [{}, "fdm", { name: "fdm" }],
    [
      { weighting: "noise", times: "even" },
      "fdm",
      { name: "weighted", options: { loss: "fdm", by: "noise", times: "even" } },
    ],
    [{ weighting: "min-snr" }, "paper-2d", { name: "weighted", options: { loss: "paper-2d", by: "min-snr" } }],
    [{ every: "4" }, "fdm", { name: "weighted", options: { loss: "fdm", by: "velocity", every: 4 } }],
    [{ every: "4" }, "cfm", { name: "cfm", options: {} }],
    [{ estimator: "exact" }, "fdm", { name: "fdm", options: { estimator: "exact", form: "slice" } }],
    [
      { estimator: "hutch++", divergence: "0.2", probe: "gaussian", velocity: "whole" },
      "fdm",
      {
        name: "hutch++",
        options: { divergence: 0.2, probe: "gaussian", detachVelocity: false, sketches: 1, probes: 1 },
      },
    ],
    [{ estimator: "hutch++", every: "4" }, "fdm", { name: "weighted", options: { loss: "hutch++", every: 4 } }],
    [{ path: "brownian-bridge", "with-score": true }, "fdm", { name: "score-matching", options: { loss: "fdm" } }],
  ] as const)("the loss of %j, %s", async (args, name, expected) => {
    expect((await readRecipe("moons", args)).loss(name)).toMatchObject(expected);
  });

  test.each([
    [{}, undefined],
    [{ coupling: "optimal" }, { name: "optimal-transport", options: { replacement: false, conditionCost: 0 } }],
    [
      { coupling: "optimal", replacement: "yes", "condition-cost": "100" },
      { name: "optimal-transport", options: { replacement: true, conditionCost: 100 } },
    ],
    [
      { coupling: "entropic", regularisation: "0.5", replacement: "no" },
      { name: "entropic-transport", options: { regularisation: 0.5, replacement: false, conditionCost: 0 } },
    ],
  ])("the coupling of %j", async (args, expected) => {
    const { coupling } = trainerOptions(await readRecipe("moons", args));
    if (expected) expect(coupling).toMatchObject(expected);
    else expect(coupling).toBe(expected);
  });

  test("--with-score makes a network with two outputs; outputs that losses see through a factor are spoken of", async () => {
    expect((await readRecipe("moons", { "with-score": true, path: "brownian-bridge" })).network.score).toBeDefined();
    const notes = async (args: Parameters<typeof readRecipe>[1]) => (await readRecipe("moons", args)).notes.join();
    expect(await notes({ output: "noise" })).toMatch(/--output noise.*--weighting noise weighs it back/);
    expect(await notes({ output: "data" })).toMatch(/--weighting min-snr weighs it back/);
    expect(await notes({ output: "score" })).toMatch(/--weighting noise weighs it back/);
    expect(await notes({ output: "noise", weighting: "noise" })).toBe("");
    expect(await notes({})).toBe("");
  });
});

describe("from data to data", () => {
  const pairs = ["--coupling", "entropic", "--regularisation", "0.5", "--path", "brownian-bridge", "--sigma", "0.5"];
  const run = ["train", "ends.csv", "--label", "kind", "--start", "starts.csv", "--preset", "paper", ...tiny, ...pairs];

  test("a run that goes on has the bits of one that was never ended: its start is found again, or given", async () => {
    const asked = [...run, "--condition-cost", "2", "--every", "3"];
    const { errors } = await succeed([...asked, "--out", "straight", "--steps", "24"]);
    expect(errors).toContain("starts.csv: columns are taken by the names of the data.");
    expect(errors).toContain("held out");
    await succeed([...asked, "--out", "parts", "--steps", "10"]);
    const config = JSON.parse(await readFile(cli.path("parts", "config.json"), "utf8"));
    expect(config).toMatchObject({
      start: "starts.csv",
      coupling: { name: "entropic-transport", options: { regularisation: 0.5, conditionCost: 2 } },
      path: { name: "brownian-bridge", options: { sigma: 0.5 } },
      loss: { name: "weighted", options: { loss: "fdm", every: 3 } },
    });
    const resume = ["train", "ends.csv", "--label", "kind", "--resume", "parts/model.safetensors", "--out", "parts"];
    await succeed([...resume, "--backend", "wasm", "--steps", "17"]);
    await rename(cli.path("starts.csv"), cli.path("moved.csv"));
    expect(await refused([...resume, "--backend", "wasm", "--steps", "24"])).toMatch(/starts.csv: got "no such file"/);
    expect(await refused([...resume, "--start", "moons"])).toMatch(/--start beside --resume: got/);
    await succeed([...resume, "--backend", "wasm", "--steps", "24", "--start", "moved.csv"]);
    expect(await bytesOf("parts", "model.safetensors")).toEqual(await bytesOf("straight", "model.safetensors"));
    await rename(cli.path("moved.csv"), cli.path("starts.csv"));
    const { output } = await succeed(["info", "parts/model.safetensors"]);
    expect(output).toContain(
      "path       brownian-bridge, the network gives velocity\nstart      array, in place of noise\n" +
        "coupling   entropic-transport\nloss       fdm, weighed by velocity, divergence every 3 steps\n",
    );
  }, 60_000);

  test("samples begin at the start by name, and with a score solvers add noise", async () => {
    const start = ["--start", "eight-gaussians", "--with-score", ...pairs];
    await succeed(["train", "moons", ...tiny, "--steps", "20", "--out", "scored", ...start]);
    const { output } = await succeed(["info", "scored/model.safetensors"]);
    expect(output).toContain("network    mlp with a score, samples of shape [2]\n");
    expect(output).toContain("start      eight-gaussians, in place of noise\n");
    expect(output).toContain("loss       fdm, with a score beside\n");
    const asked = ["sample", "scored/model.safetensors", "--count", "5", "--backend", "wasm", "--out"];
    await succeed([...asked, "noisy.npy", "--solver", "euler-maruyama", "--steps", "4"]);
    await succeed([...asked, "still.npy", "--solver", "euler", "--steps", "4"]);
    const [noisy, still] = [readNpy(await bytesOf("noisy.npy")).data, readNpy(await bytesOf("still.npy")).data];
    expect(noisy).not.toEqual(still);
    expect(await refused(["evaluate", "scored/model.safetensors", "--data", "starts.csv"])).toMatch(
      /density of its starts/,
    );
  });

  test("what a run is to go on with keeps its start in the command that is told", async () => {
    let sent = false;
    const long = [
      "train",
      "moons",
      "--start",
      "eight-gaussians",
      "--loss",
      "cfm",
      "--backend",
      "wasm",
      "--width",
      "64",
    ];
    const { code, errors } = await cli.run([...long, "--out", "ended"], {
      watch: (_, child) => {
        if (!sent) setTimeout(() => child.kill("SIGINT"), 1500);
        sent = true;
      },
    });
    expect(code, errors).toBe(130);
    expect(errors).toContain("--resume ended/model.safetensors --out ended --start eight-gaussians --backend wasm");
  });
});

describe("refused, in the library's sentences and by the options' names", () => {
  const train = (...given: string[]) => ["train", "moons", "--out", "x", ...tiny, "--steps", "5", ...given];
  test.each([
    [train("--coupling", "optimal"), /--loss: got "fdm on path cond-ot.*--path brownian-bridge, or --loss cfm/],
    [train("--start", "checkerboard"), /--loss: got "fdm on path cond-ot, beside starts/],
    [train("--start", "checkerboard", "--loss", "cfm", "--path", "ve"), /--path beside --start: got .*--path cond-ot/],
    [train("--coupling", "optimal", "--loss", "cfm", "--path", "ve-sde"), /--path beside --coupling: got/],
    [train("--start", "wide.npy", "--loss", "cfm"), /--start wide.npy: got "rows of 3 numbers".*rows of 2/],
    [train("--path", "brownian-bridge", "--output", "noise"), /--path beside --output: got/],
    [train("--path", "brownian-bridge", "--weighting", "noise"), /--weighting: got/],
    [train("--path", "brownian-bridge", "--sigma", "-1"), /--sigma: got -1/],
    [train("--path", "ve", "--sigma-max", "0"), /--sigma-max: got 0/],
    [train("--path", "vp", "--sigma-max", "8"), /--sigma-max 8: got "beside --path vp".*that is of ve, ve-sde/],
    [train("--sigma", "1"), /--sigma 1: got "beside the default --path cond-ot"/],
    [train("--every", "2", "--divergence", "0"), /--every: got "2, beside fdm with --divergence 0"/],
    [train("--every", "2", "--loss", "cfm"), /--every 2: got "beside --loss cfm"/],
    [train("--coupling", "optimal", "--regularisation", "1"), /--regularisation 1: got "beside --coupling optimal"/],
    [train("--replacement", "yes"), /--replacement yes: got "beside the default --coupling independent"/],
    [train("--with-score", "--path", "brownian-bridge", "--times", "even"), /loss beside --with-score: got "weighted"/],
    [["compare", "moons", "--out", "x", "--coupling", "optimal"], /--coupling: got "optimal on path cond-ot"/],
    [
      ["train", "moons", "--out", "x", "--resume", "scored/model.safetensors", "--output", "noise"],
      /--output: got "beside --resume"/,
    ],
  ])("%j", async (parameters, sentence) => {
    expect(await refused(parameters)).toMatch(sentence);
  });

  test("a coupling that does not see what models are told is warned of by its option", async () => {
    const asked = ["train", "ends.csv", "--label", "kind", "--coupling", "optimal", "--loss", "cfm", ...tiny];
    const { errors } = await succeed([...asked, "--steps", "5", "--out", "blind"]);
    expect(errors).toMatch(
      /does not see the conditions \(kind\).*Give --condition-cost 100, or --coupling independent/,
    );
  });
});

test("compare trains, judges and keeps what the options say", async () => {
  const noise = ["--path", "ve", "--sigma-max", "8", "--output", "noise", "--data-deviation", "1"];
  const asked = ["compare", "moons", ...tiny, "--steps", "10", "--points", "20", "--equal", "steps", "--json"];
  const weights = ["--weighting", "noise", "--times", "even", "--every", "2"];
  const document = JSON.parse((await succeed([...asked, "--out", "compared", ...noise, ...weights])).output);
  expect(document.config.path).toMatchObject({ name: "with-output", options: { output: "noise", dataDeviation: 1 } });
  for (const { negativeLogLikelihood } of document.results) expect(Number.isFinite(negativeLogLikelihood)).toBe(true);
  const configOf = async (name: string) =>
    JSON.parse(await readFile(cli.path("compared", name, "config.json"), "utf8"));
  expect((await configOf("cfm")).loss.options).toMatchObject({ loss: "cfm", by: "noise", times: "even" });
  expect((await configOf("cfm")).loss.options.every).toBeUndefined();
  expect((await configOf("fdm")).loss.options).toMatchObject({ loss: "fdm", by: "noise", every: 2 });
}, 60_000);
