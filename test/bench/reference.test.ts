// The f64 network that solves and ONNX files are compared with: against divflow's reference backend and differences.
import { describe, expect, test } from "vitest";
import { flatParameters, workloadNetwork } from "../../bench/divflow/training.ts";
import { eulerEvidence } from "../../bench/euler.ts";
import { matmulEvidence, matmulOperands } from "../../bench/matmul.ts";
import { deviationOf, eulerSolve, productElements, velocityAt } from "../../bench/reference.mjs";
import { makeWorkload, matmulShapes } from "../../bench/workload.mjs";
import { condOT, createRuntime, euler, load } from "../../src/index.ts";
import { writeCheckpoint } from "../../src/train/checkpoint.ts";

const width = 8;
const values = makeWorkload(width, 4, 32);

test("velocity and solve agree with the reference backend", async () => {
  const network = workloadNetwork(width);
  const runtime = await createRuntime({ backend: "reference" });
  const record = { network, path: condOT(), standardization: undefined, step: 0, backend: "reference" };
  const parameters = flatParameters(network, values);
  const bytes = writeCheckpoint({ ...record, parameters, average: undefined, training: undefined });
  const model = await load(runtime, bytes);
  const [x, y, t] = [0.3, -1.2, 0.4];
  const [vx, vy] = velocityAt(values, [x, y, t]).v;
  const [wx, wy] = await model.velocity(Float64Array.of(x, y), Float64Array.of(t));
  expect(vx).toBeCloseTo(wx as number, 6); // the API gives f32
  expect(vy).toBeCloseTo(wy as number, 6);

  const samples = await model.sample({ count: 1, solver: euler({ steps: 3 }), times: [0, 1] });
  const start = [...(samples.trajectory?.values.subarray(0, 2) ?? [])];
  const end = eulerSolve(values, start, [1, 1], { steps: 3, size: 1 / 3 }).x;
  expect(deviationOf(samples.values, end)).toBeLessThan(1e-6);
  runtime.dispose();
});

test("the jvp is the difference quotient", () => {
  const h = 1e-6;
  const [x, y, t] = [0.3, -1.2, 0.4];
  const probe = [1, -1];
  const ahead = velocityAt(values, [x + h, y - h, t]).v;
  const behind = velocityAt(values, [x - h, y + h, t]).v;
  const slope = ahead.map((value, j) => (value - (behind[j] as number)) / (2 * h));
  expect(deviationOf(velocityAt(values, [x, y, t], probe).jvp, slope)).toBeLessThan(1e-8);
});

describe("evidence", () => {
  const solved = async (steps: number, error: number) => {
    const ends = Array.from({ length: 32 }, (_, row) => {
      const [point, probe] = [values.noise, values.noiseProbes].map((all) => [...all.subarray(2 * row, 2 * row + 2)]);
      return eulerSolve(values, point as number[], probe as number[], { steps, size: 1 / 100 });
    });
    return {
      points: ends.flatMap(({ x }) => x.map((value) => value + error)),
      densities: ends.map(({ logDensity }) => logDensity),
    };
  };

  test("of a right solve is nearly 0, of one that is off is not", async () => {
    const right = await eulerEvidence(values, "logdensity", (steps) => solved(steps, 0));
    expect(right.deviation).toBeLessThan(1e-12);
    const off = await eulerEvidence(values, "sample", (steps) => solved(steps, 1e-3));
    expect(off.deviation).toBeGreaterThan(1e-2); // the ways are short
    const nothing = await eulerEvidence(values, "sample", async () => ({ points: [], densities: [] }));
    expect(nothing.deviation).toBeNaN();
  });

  test.each(matmulShapes(8, 4))("of a product: $name", (shape) => {
    const { left, right } = matmulOperands(shape);
    const all = Array.from({ length: shape.rows * shape.columns }, (_, i) => i);
    const result = productElements(shape, left, right, all);
    expect(matmulEvidence(shape, left, right, result)).toBe(0);
    result[0] = (result[0] as number) + 1;
    expect(matmulEvidence(shape, left, right, result)).toBeGreaterThan(0.01);
  });
});
