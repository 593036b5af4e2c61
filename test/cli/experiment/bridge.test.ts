/** The bridge's reference against closed forms of Gaussians, measures of ways against ways drawn by hand, and a tiny run of it. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { bridgeAt, bridgeEnds, measureWays } from "../../../src/cli/experiment/bridge-reference.ts";
import { numberOfShare, randomNumbers, uniformSequence } from "../../../src/cli/experiment/random-numbers.ts";
import { waysPicture } from "../../../src/cli/report/ways.ts";
import { useCli } from "../run.ts";

const moments = (values: ArrayLike<number>) => {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  return { mean, variance: list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length };
};

const normals = Array.from(randomNumbers("normal", 50_000, 5)).sort((a, b) => a - b);

/** Quantiles of N(mean, 1), a cloud without sampling error, in an order of its own. */
const line = (mean: number, seed: number) => {
  const count = 600;
  const order = Array.from(randomNumbers("uniform", count, seed))
    .map((key, i) => [key, i] as const)
    .sort(([a], [b]) => a - b);
  const values = order.map(([, i]) => mean + (normals[Math.floor(((i + 0.5) / count) * normals.length)] as number));
  return { values, count, dimension: 1 };
};

describe("the Schroedinger bridge between N(0, 1) and N(3, 1)", () => {
  // Its plan is Gaussian with covariance (sqrt(4 + sigma^4) - sigma^2) / 2 (Janati et al., NeurIPS 2020).
  test.each([1, 0.5])("of diffusion %s has the known covariance and variances on its way", (sigma) => {
    const ends = bridgeEnds(line(0, 1), line(3, 2), sigma, 7);
    const covariance = (Math.sqrt(4 + sigma ** 4) - sigma ** 2) / 2;
    const products = ends.from.map((x, i) => x * ((ends.to[i] as number) - 3));
    expect(Math.abs(moments(products).mean - covariance)).toBeLessThan(0.05);
    for (const t of [0.25, 0.5, 0.75, 1]) {
      const { mean, variance } = moments(bridgeAt(ends, t, sigma, 11));
      const known = (1 - t) ** 2 + t ** 2 + 2 * t * (1 - t) * covariance + sigma ** 2 * t * (1 - t);
      expect(Math.abs(mean - 3 * t)).toBeLessThan(0.06);
      expect(Math.abs(variance - known), `t = ${t}`).toBeLessThan(0.09);
    }
  });

  test("pairs each point once", () => {
    const [a, b] = [line(0, 1), line(3, 2)];
    const ends = bridgeEnds(a, b, 0.5, 7);
    expect([...ends.from].sort()).toEqual([...Float32Array.from(a.values)].sort());
    expect([...ends.to].sort()).toEqual([...Float32Array.from(b.values)].sort());
  });
});

test("ways drawn by hand have their length, distance and energy", () => {
  // One goes along a corner, 3 up in the first quarter, then 4 to the right; the other stays.
  const ways = [0, 0, 5, 5, /**/ 0, 3, 5, 5, /**/ 4, 3, 5, 5];
  const { length, distance, energy } = measureWays(ways, [0, 0.25, 1], 2);
  expect(length).toBeCloseTo(7 / 2, 12);
  expect(distance).toBeCloseTo(5 / 2, 12);
  expect(energy).toBeCloseTo((9 / 0.25 + 16 / 0.75) / 2, 12);
});

test("a picture of ways has its points where they are", () => {
  const range = { low: 0, high: 10 };
  const style = { title: "A", style: "cfm", note: "" };
  const html = waysPicture({ ...style, ways: [0, 0, 10, 5], count: 1 }, [range, range]);
  expect(html).toContain("M0.0 300.0L300.0 150.0");
  expect(html).toMatch(/cx="0\.0" cy="300\.0" r="[\d.]+" fill="none"/);
  expect(html).toMatch(/cx="300\.0" cy="150\.0" r="[\d.]+" fill="currentColor"/);
});

test("random numbers come again by seed, and are what they are called", () => {
  const uniforms = randomNumbers("uniform", 20_000, 3);
  expect(Math.abs(moments(uniforms).mean - 0.5)).toBeLessThan(0.01);
  expect(Math.abs(moments(randomNumbers("normal", 20_000, 3)).variance - 1)).toBeLessThan(0.04);
  expect([...Array.from(randomNumbers("uniform", 20_000, 3))]).toEqual([...Array.from(uniforms)]);
  const [first, again, other] = [uniformSequence(4), uniformSequence(4), uniformSequence(5)];
  const take = (next: () => number, count: number) => Array.from({ length: count }, next);
  const long = take(first, 70_000); // more than one block
  expect(take(again, 70_000)).toEqual(long);
  expect(take(other, 5)).not.toEqual(long.slice(0, 5));
  expect(new Set(long.slice(65_000)).size).toBeGreaterThan(4990);
  expect([0, 0.19, 0.21, 0.69, 0.71, 0.9999999].map((one) => numberOfShare([0.2, 0.5, 0.3], one))).toEqual([
    0, 0, 1, 1, 2, 2,
  ]);
});

const cli = useCli();

test("a tiny run judges each pairing beside the reference's own distances", { timeout: 120_000 }, async () => {
  const settings = "steps=300,width=24,layers=2,batch=48,points=160,rate=0.01";
  const all = ["experiment", "bridge", "--backend", "wasm", "--threads", "1", "--set", settings, "--out", "bridge"];
  const { code, errors } = await cli.run(all);
  expect(code, errors).toBe(0);
  const { results } = JSON.parse((await readFile(cli.path("bridge", "results.json"))).toString());
  const of = (loss: string, metric: string) =>
    results.find((one: { loss: string }) => one.loss === loss).metrics[metric].value;
  expect(results.map((one: { loss: string }) => one.loss)).toEqual([
    "cfm",
    "fdm",
    "ot-cfm",
    "ot-fdm",
    "bridge",
    "reference",
  ]);
  // Pairs by optimal transport go straight; those drawn apart go round, and are elsewhere in the middle.
  expect(of("ot-cfm", "detour")).toBeLessThan(of("cfm", "detour"));
  expect(of("ot-cfm", "energy")).toBeLessThan(of("cfm", "energy"));
  expect(of("ot-fdm", "energy")).toBeGreaterThanOrEqual(0);
  expect(of("ot-cfm", "inner")).toBeLessThan(of("cfm", "inner"));
  expect(of("ot-cfm", "few")).toBeLessThan(of("cfm", "few"));
  expect(of("reference", "inner")).toBeLessThan(of("ot-cfm", "inner"));
  expect(of("bridge", "diffused")).toBeGreaterThan(0);
  const html = (await readFile(cli.path("bridge", "report.html"))).toString();
  expect(html).toContain("Ways of 60 points: OT-FDM");
  expect(html).not.toMatch(/NaN|undefined|Infinity|https?:|<script/);
});
