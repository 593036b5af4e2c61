/** The experiment on posteriors, tiny: what it judges, and that a task without known draws has no classifier. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { readNpy } from "../../../src/data.ts";
import { useCli } from "../run.ts";

const cli = useCli();
const tiny = "steps=600,width=32,layers=2,simulations=3000,observations=1,draws=150,fresh=100";

async function metricsOf(task: string): Promise<Record<string, number>> {
  const asked = ["experiment", "posterior", task, "--losses", "cfm", "--backend", "wasm", "--threads", "1"];
  const { code, errors } = await cli.run([...asked, "--set", tiny, "--out", task]);
  expect(code, errors).toBe(0);
  const record = JSON.parse(await readFile(cli.path(task, "seed-0", "cfm", "record.json"), "utf8"));
  expect(await readFile(cli.path(task, "report.html"), "utf8")).toContain("simulations of a model");
  return Object.fromEntries(record.metrics.map(({ name, value }: { name: string; value: number }) => [name, value]));
}

test("a Gaussian posterior, whose entropy is known", { timeout: 60_000 }, async () => {
  const { nats, c2st, coverage, calibration } = await metricsOf("gaussian_linear");
  // Ten dimensions of deviation sqrt 0.05: no model has fewer nats on average, and the prior, of sqrt 0.1, has 3.5 more.
  const entropy = 5 * Math.log(2 * Math.PI * Math.E * 0.05);
  // Of 100 simulations nats vary by sqrt(5 / 100) = 0.22 by chance.
  expect(nats).toBeGreaterThan(entropy - 0.9);
  expect(nats).toBeLessThan(entropy + 1.8);
  expect(c2st).toBeGreaterThan(0.5);
  expect(c2st).toBeLessThanOrEqual(1);
  expect(coverage).toBeGreaterThan(0);
  expect(coverage).toBeLessThan(40);
  expect(calibration).toBeGreaterThanOrEqual(0);
  expect(calibration).toBeLessThanOrEqual(1);
});

test("a posterior of which no draws are known", { timeout: 60_000 }, async () => {
  const { nats, c2st } = await metricsOf("slcp");
  // The prior has 5 ln 6 = 8.96 nats, and a posterior of four draws of the plane is far from a point.
  expect(nats).toBeGreaterThan(2);
  expect(nats).toBeLessThan(8.96);
  expect(c2st).toBeNull();
});

test("noise on the parameters is a contender, held against CFM on the same simulations", {
  timeout: 60_000,
}, async () => {
  const few = "steps=150,width=16,layers=2,simulations=200,observations=1,draws=100,fresh=60";
  const asked = ["experiment", "posterior", "--losses", "cfm,cfm-noise", "--backend", "wasm", "--threads", "1"];
  const { code, output, errors } = await cli.run([...asked, "--set", few, "--out", "noise"]);
  expect(code, errors).toBe(0);
  expect(output).toContain("on the same 60 points");
  const of = async (loss: string) => {
    const folder = cli.path("noise", "seed-0", loss);
    const { metrics } = JSON.parse(await readFile(`${folder}/record.json`, "utf8"));
    const { data } = readNpy(await readFile(`${folder}/nats.npy`));
    return { told: metrics[0].value as number, nats: Array.from(data as Float64Array) };
  };
  const [plain, noisy] = [await of("cfm"), await of("cfm-noise")];
  for (const { told, nats } of [plain, noisy]) {
    expect(nats).toHaveLength(60);
    expect(told).toBeCloseTo(nats.reduce((sum, value) => sum + value, 0) / 60, 9);
  }
  expect(noisy.nats).not.toEqual(plain.nats);
});

test("a task that is none is refused before anything is simulated", async () => {
  const { code, errors } = await cli.run(["experiment", "posterior", "three_moons", "--out", "none"]);
  expect(code).toBe(2);
  expect(errors).toMatch(/three_moons.*two_moons/);
});
