/** Own files by `train` and `compare`: what is held out, what is judged by it, and that nothing is judged by what it learnt. */
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readNpy } from "../../src/data/npy.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { useCli } from "./run.ts";

const cli = useCli();
const small = ["--backend", "wasm", "--width", "32", "--layers", "2", "--batch", "128"] as const;

async function json(parameters: readonly string[]) {
  const { code, output, errors } = await cli.run([...parameters, "--json"]);
  expect(errors).not.toMatch(/divflow:/);
  expect(code).toBe(0);
  return { ...JSON.parse(output), errors };
}

const bytesOf = async (...names: string[]) => new Uint8Array(await readFile(cli.path(...names)));
const linesOf = async (...names: string[]) =>
  (await readFile(cli.path(...names), "utf8")).split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));

async function writeCsv(name: string, rows: readonly (readonly number[])[], columns: readonly string[]) {
  await writeFile(cli.path(name), [columns, ...rows].map((row) => `${row.join(",")}\n`).join(""));
}

/** Two Gaussians far apart in `dimension` dimensions, each with its own deviation in each. */
function mixture(count: number, dimension: number, seed: number): number[][] {
  const random = new HostRandom(seed);
  const normals = random.normal(count * dimension, 1);
  const sides = random.uniform(count, 2);
  return Array.from({ length: count }, (_, row) =>
    Array.from({ length: dimension }, (_, column) => {
      const side = (sides[row] as number) < 0.5 ? -1 : 1;
      return (
        2 * side * (column % 2 === 0 ? 1 : -1) + (0.5 + column / 10) * (normals[row * dimension + column] as number)
      );
    }),
  );
}

const names = (dimension: number) => Array.from({ length: dimension }, (_, i) => `column ${i}`);

describe("500 rows of 10 dimensions", () => {
  const rows = mixture(500, 10, 1);

  test("compare judges all models by the same rows, which none was trained on or stopped by", async () => {
    await writeCsv("ten.csv", rows, names(10));
    await writeCsv("fresh.csv", mixture(4000, 10, 2), names(10));
    const compared = await json(["compare", "ten.csv", ...small, "--steps", "2000", "--seed", "3", "--out", "ten"]);

    const [{ seed, training, validation, test: judgedBy }] = compared.rows;
    expect(seed).toBe(3);
    expect([training.length, validation.length, judgedBy.length]).toEqual([405, 45, 50]);
    const all = [...training, ...validation, ...judgedBy].sort((a: number, b: number) => a - b);
    expect(all).toEqual(Array.from({ length: 500 }, (_, row) => row)); // no row twice, none left out
    expect(compared.points).toBe(50);
    const written = readNpy(await bytesOf("ten", "test.npy"), "test.npy");
    expect(Array.from(written.data)).toEqual(judgedBy.flatMap((row: number) => rows[row]));
    for (const name of ["cfm", "fdm", "cfm-seconds"]) {
      const config = JSON.parse(await readFile(cli.path("ten", name, "config.json"), "utf8"));
      expect(config.rows).toEqual({ count: 500, validation, test: judgedBy });
    }

    for (const { name, negativeLogLikelihood, standardError, bestStep, steps } of compared.results) {
      expect(bestStep).toBeLessThanOrEqual(steps);
      const model = `ten/${name}/model.safetensors`;
      // The same rows by the other command: another solver, so not the same bits.
      const again = await json(["evaluate", model, "--data", "ten/test.npy", "--backend", "wasm"]);
      expect(again.negativeLogLikelihood).toBeCloseTo(negativeLogLikelihood, 2);
      expect(again.standardError).toBeCloseTo(standardError, 2);
      // Fresh rows of the same distribution: within the error that was stated.
      const fresh = await json(["evaluate", model, "--data", "fresh.csv", "--backend", "wasm"]);
      const error = Math.hypot(standardError, fresh.standardError);
      expect(Math.abs(fresh.negativeLogLikelihood - negativeLogLikelihood)).toBeLessThan(3 * error);
    }
    const html = await readFile(cli.path("ten", "report.html"), "utf8");
    expect(html).toMatch(/500 rows of ten.csv, parted by seed 3: 405 trained on, 45 held out to stop by, 50 others/);
    expect(html).toMatch(/Negative log-likelihood, rows held out/); // by which the best of so few is chosen
  }, 180_000);

  test("train keeps what is best on rows held out, stops when it gets no better, and says so", async () => {
    await writeCsv("again.csv", rows, names(10));
    const common = ["train", "again.csv", ...small, "--loss", "cfm"];
    const trained = await json([...common, "--steps", "6000", "--patience", "5", "--out", "stopped"]);
    expect(trained).toMatchObject({ stopped: true, rowsHeldOut: 50, interrupted: false });
    expect(trained.step).toBe(trained.best.step + 500); // 5 validations, 100 steps apart
    expect(trained.errors).toMatch(/450 rows to train on, and \d+ parameters/);
    const lines = await linesOf("stopped", "metrics.jsonl");
    const validations = lines.flatMap(({ validation }) => (validation ? [validation] : []));
    expect(validations.map(({ step }) => step)).toEqual(
      Array.from({ length: trained.step / 100 }, (_, i) => 100 * (i + 1)),
    );
    // Of 50 rows the likelihood is the criterion: the best is the lowest of all.
    const least = Math.min(...validations.map(({ negativeLogLikelihood }) => negativeLogLikelihood));
    expect(trained.best.negativeLogLikelihood).toBe(least);
    const config = JSON.parse(await readFile(cli.path("stopped", "config.json"), "utf8"));
    expect(config).toMatchObject({ validation: 0.1, earlyStopping: { patience: 5 }, rows: { count: 500 } });
    expect(config.rows.validation).toHaveLength(50);

    const none = await json([...common, "--steps", "20", "--validation", "none", "--out", "none"]);
    expect(none.best).toBeUndefined();
  }, 120_000);
});

test("5,000 rows far from 0 are judged in model units: right, and never below the data's own entropy", async () => {
  const normals = new HostRandom(4).normal(10_000, 1);
  const rows = Array.from({ length: 5000 }, (_, row) => [
    1e6 + 1e-3 * (normals[2 * row] as number),
    normals[2 * row + 1] as number,
  ]);
  await writeCsv("far.csv", rows, ["far", "near"]);
  const parameters = ["compare", "far.csv", ...small, "--steps", "600", "--equal", "steps", "--out", "far"];
  const { results, rows: used } = await json(parameters);
  const entropy = Math.log(1e-3) + Math.log(2 * Math.PI * Math.E);
  // What these very rows say under the true density: the chance of the draw is in both.
  const ideal = used[0].test.reduce((sum: number, row: number) => {
    const [z, y] = [normals[2 * row] as number, normals[2 * row + 1] as number];
    return sum + (Math.log(2 * Math.PI) + Math.log(1e-3) + (z * z + y * y) / 2) / used[0].test.length;
  }, 0);
  for (const { name, negativeLogLikelihood, standardError } of results) {
    expect(negativeLogLikelihood).toBeGreaterThan(entropy - 3 * standardError);
    expect(Math.abs(negativeLogLikelihood - ideal)).toBeLessThan(0.06);
    const { data } = readNpy(await bytesOf("far", name, "samples.npy"), name);
    const first = Array.from({ length: data.length / 2 }, (_, i) => data[2 * i] as number);
    expect(new Set(first).size).toBeGreaterThan(0.99 * first.length);
    const mean = first.reduce((sum, value) => sum + (value - 1e6), 0) / first.length;
    expect(Math.abs(mean)).toBeLessThan(2e-4);
  }
}, 120_000);

describe("rows held out", () => {
  const common = ["--backend", "wasm", "--width", "8", "--layers", "1", "--batch", "16", "--steps", "100"] as const;
  const rows = mixture(60, 2, 5);

  test("may be a file, a number, and different by seed", async () => {
    await writeCsv("few.csv", rows, ["a", "b"]);
    await writeCsv("other.csv", mixture(30, 2, 6), ["a", "b"]);
    const parted = await json([
      ...["compare", "few.csv", ...common, "--validation", "7", "--test", "9", "--seeds", "2", "--equal", "steps"],
      ...["--out", "parted"],
    ]);
    expect(parted.rows.map(({ seed }: { seed: number }) => seed)).toEqual([0, 1]);
    for (const { validation, test: judgedBy } of parted.rows) {
      expect([validation.length, judgedBy.length]).toEqual([7, 9]);
    }
    expect(parted.rows[0].test).not.toEqual(parted.rows[1].test);

    const files = ["--validation", "other.csv", "--test", "other.csv", "--equal", "steps"];
    const other = await json(["compare", "few.csv", ...common, ...files, "--out", "other"]);
    expect(other.points).toBe(30);
    expect(other.rows[0]).toMatchObject({ validation: [], test: [] });
    expect(other.rows[0].training).toHaveLength(60);
  });

  test("a comparison's run goes on without the rows that it is judged by", async () => {
    await writeCsv("on.csv", rows, ["a", "b"]);
    await json(["compare", "on.csv", ...common, "--equal", "steps", "--out", "on"]);
    const resume = ["train", "on.csv", "--resume", "on/fdm/model.safetensors", "--out", "on/fdm", "--backend", "wasm"];
    expect((await json([...resume, "--steps", "150"])).step).toBe(150);
  });

  test("a run begins at another's model, with noise, an average and weight decay", async () => {
    await writeCsv("warm.csv", rows, ["a", "b"]);
    await json(["train", "warm.csv", ...common, "--out", "warm"]);
    const options = ["--jitter", "0.2", "--ema", "0.9", "--weight-decay", "0.01", "--from", "warm/model.safetensors"];
    const sizes = ["--backend", "wasm", "--batch", "16", "--steps", "100"];
    await json(["train", "warm.csv", ...sizes, ...options, "--out", "warmed"]);
    const config = JSON.parse(await readFile(cli.path("warmed", "config.json"), "utf8"));
    expect(config).toMatchObject({
      network: { config: { hidden: [8] } },
      optimizer: { name: "adamw" },
      ...{ jitter: 0.2, ema: { decay: 0.9 }, from: "warm/model.safetensors" },
    });
    const [before] = await linesOf("warmed", "metrics.jsonl"); // of the parameters begun at
    expect(before).toMatchObject({ step: 0, validation: { step: 0 } });
  });

  test("one row to judge by gives no standard error, and rows that were of no use are told", async () => {
    await writeCsv("short.csv", rows, ["a", "b"]);
    await writeCsv("one.csv", rows.slice(0, 1), ["a", "b"]);
    const short = common.map((one) => (one === "100" ? "50" : one)); // steps
    const trained = await json(["train", "short.csv", ...short, "--jitter", "0", "--out", "short"]);
    expect(trained.errors).toMatch(/No validation in 50 steps: the rows held out were not used; --validation none/);
    const evaluate = ["evaluate", "short/model.safetensors", "--data", "one.csv", "--backend", "wasm"];
    expect((await json(evaluate)).standardError).toBeNull();
    const { output } = await cli.run(evaluate);
    expect(output).toMatch(/^negative log-likelihood [\d.]+ nats/);
    expect(output).toMatch(/^1 point, solver/m);
    const single = ["train", "short.csv", ...common, "--validation", "1", "--out", "single"];
    expect((await json(single)).best).not.toHaveProperty("standardError");
    const resume = [
      "train",
      "short.csv",
      "--resume",
      "single/model.safetensors",
      "--out",
      "single",
      "--backend",
      "wasm",
    ];
    expect((await json([...resume, "--steps", "150"])).step).toBe(150);
  });

  test("a run that would stop goes on with --no-early-stopping", async () => {
    await writeCsv("whole.csv", rows, ["a", "b"]);
    const learntByHeart = ["train", "whole.csv", ...small, "--loss", "cfm", "--validation", "0.5"];
    const stopped = await json([...learntByHeart, "--steps", "5000", "--out", "stops"]);
    expect(stopped).toMatchObject({ stopped: true, step: stopped.best.step + 2000 });
    expect(stopped.step).toBeLessThan(5000);
    expect(stopped.errors).toMatch(/Against that, add noise \(--jitter auto\) or take a smaller network/);
    const whole = await json([...learntByHeart, "--steps", "5000", "--no-early-stopping", "--out", "whole"]);
    expect(whole).toMatchObject({ stopped: false, step: 5000 });
    expect(whole.errors).toMatch(/Against that, stop early, add noise/);
    const config = JSON.parse(await readFile(cli.path("whole", "config.json"), "utf8"));
    expect(config).toMatchObject({ validation: 0.5, earlyStopping: false });
  });

  test.each([
    ["of a named set", ["train", "moons", "--validation", "0.1"], /--validation.*no rows to hold out/],
    ["to judge a named set by", ["compare", "moons", "--test", "0.1"], /--test.*no rows to hold out/],
    ["that are all rows", ["train", "no.csv", "--validation", "60"], /validation.*60/],
    ["that are trained on", ["train", "no.csv", "--validation", "no.csv"], /all trained on/],
    ["by a share above 1", ["train", "no.csv", "--validation", "1.5"], /--validation.*share/],
    ["but nothing to judge by", ["compare", "no.csv", "--test", "none"], /--test/],
    ["and patience without them", ["train", "no.csv", "--validation", "none", "--patience", "3"], /--patience/],
    [
      "and patience beside none",
      ["train", "no.csv", "--patience", "1", "--no-early-stopping"],
      /--patience.*beside --no-early-stopping/,
    ],
    [
      "and no stop without them",
      ["train", "no.csv", "--validation", "none", "--no-early-stopping"],
      /--no-early-stopping.*no rows held out/,
    ],
    ["and no stop of a named set", ["train", "moons", "--no-early-stopping"], /--no-early-stopping.*no rows held out/],
    ["and noise on a set without end", ["train", "moons", "--jitter", "0.1"], /--jitter.*drawn fresh/],
    ["and noise that is no number", ["train", "no.csv", "--jitter", "foo"], /--jitter.*at least 0, or auto/],
    ["and an average of nothing", ["train", "no.csv", "--ema", "1"], /--ema.*between 0 and 1/],
  ])("%s are refused", async (_, parameters, message) => {
    await writeCsv("no.csv", rows, ["a", "b"]);
    const { code, errors } = await cli.run([...parameters, ...common, "--out", "refused"]);
    expect(errors).toMatch(message);
    expect(code).toBe(2);
  });
});
