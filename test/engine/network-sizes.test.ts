// What networks need per row, by their graphs: what chunks and refusals follow.
import { describe, expect, test } from "vitest";
import { chunksOf } from "../../src/engine/chunks.ts";
import { sizesPerRow } from "../../src/engine/network-sizes.ts";
import { expectLossFits, expectSolveFits } from "../../src/engine/sizes.ts";
import { LimitError } from "../../src/errors.ts";
import { cfm } from "../../src/flow/losses/cfm.ts";
import { fdm } from "../../src/flow/losses/fdm.ts";
import { dopri5 } from "../../src/flow/solvers/dopri5.ts";
import { classes } from "../../src/nn/conditions.ts";
import { mlp } from "../../src/nn/mlp.ts";
import { parameterLayout } from "../../src/nn/network.ts";
import { sit } from "../../src/nn/sit.ts";
import { unet2d } from "../../src/nn/unet2d.ts";
import type { PlanLimits } from "../../src/schedule/program.ts";
import { limitsByName } from "../schedule/limits.ts";

const wasm: PlanLimits = {
  ...(limitsByName["wasm"] as PlanLimits),
  ...{ maxTotalBytes: 2 ** 32, maxBufferBytes: 2 ** 32, maxBindingBytes: 2 ** 32 },
};

test.each([
  [2, [8]],
  [2, [64, 32, 128]],
  [500, [512]],
  [700, [3, 5]],
])("of MLPs, D = %i, hidden %j: the widest layer, and all layers but the last", (dimension, hidden) => {
  const network = mlp({ dimension, hidden });
  const widths = network.parameters.flatMap(({ shape }) => (shape.length === 2 ? [shape[1]] : []));
  expect(sizesPerRow(network)).toEqual({
    widest: Math.max(dimension + 1, ...hidden),
    layers: widths.length,
    largest: Math.max(...widths),
    hidden: hidden.reduce((a, b) => a + b),
    kept: Math.max(...widths),
  });
  // As chunks always were: bits of samples depend on them.
  const widest = Math.max(...network.parameters.flatMap(({ shape }) => shape));
  const most = Math.max(1, Math.min(4096, Math.floor(2 ** 24 / ((1 + dimension) * widest))));
  expect(chunksOf(10_000, network, dimension).chunks).toBe(Math.ceil(10_000 / most));
});

const picture = (size: number, channels = 16, conditions = {}) =>
  unet2d({ sample: [size, size, 1], channels, multipliers: [1, 2], residualBlocks: 1, groups: 4, conditions });

describe("of a U-Net", () => {
  test("chunks shrink as pictures grow, where no parameter does", () => {
    const [small, large] = [picture(8), picture(32)];
    expect(parameterLayout(small).total).toBe(parameterLayout(large).total);
    expect(sizesPerRow(large).widest).toBe(16 * sizesPerRow(small).widest);
    expect(sizesPerRow(large).widest).toBeGreaterThanOrEqual(32 * 32 * 16);
    const { rows } = chunksOf(100_000, large, 1);
    expect(2 * rows * sizesPerRow(large).widest).toBeLessThanOrEqual(2 ** 24);
    expect(chunksOf(100_000, small, 1).rows).toBeGreaterThan(4 * rows);
  });

  test("a table of labels is no layer of a row", () => {
    const [few, many] = [2, 100_000].map((count) => picture(8, 16, { label: classes(count) }));
    expect(sizesPerRow(many)).toEqual(sizesPerRow(few));
  });

  test("skips stay until they are read", () => {
    const { kept, largest } = sizesPerRow(picture(16));
    // On the way up the last step has its own result, and what the first convolution left at full size, at least.
    expect(kept).toBeGreaterThanOrEqual(2 * 16 * 16 * 16);
    expect(kept).toBeLessThan(12 * largest);
  });

  test("too many pictures at once are refused in a sentence, and as many as are named are not", () => {
    const options = { network: picture(64, 64), loss: fdm({}), vectors: 3, reverse: true, data: 0 };
    const refused = (batchSize: number) => {
      try {
        expectLossFits({ ...options, batchSize }, wasm);
        return undefined;
      } catch (error) {
        if (error instanceof LimitError) return error;
        throw error;
      }
    };
    const error = refused(1 << 16);
    expect(error?.message).toMatch(
      /^batchSize: got 65536, expected at most \d+ beside the other sizes\. The training step needs \d+ GB/,
    );
    const most = Number(/at most (\d+)/.exec(error?.facts.expected ?? "")?.[1]);
    expect(most).toBeGreaterThan(0);
    expect(refused(most)).toBeUndefined();
    expect(refused(most + 1)).toBeDefined();
  });
});

test("residual sums of a transformer do not pile up, and layers count evaluations", () => {
  const deep = (depth: number) => sit({ sample: [8, 8, 2], width: 32, heads: 4, depth });
  const [few, many] = [deep(2), deep(20)].map(sizesPerRow);
  expect(many.layers - few.layers).toBe(9 * (sizesPerRow(deep(4)).layers - few.layers));
  expect(many.kept).toBeLessThan(1.5 * few.kept);
  expect(many.hidden).toBeGreaterThan(5 * few.hidden);
  const solve = { solver: dopri5(), rows: 1, divergence: { estimator: "hutchinson", probes: 1 } };
  expect(() => expectSolveFits({ ...solve, network: deep(12) }, wasm)).not.toThrow();
  const loss = { network: deep(1000), loss: cfm(), batchSize: 1, vectors: 3, reverse: true, data: 0 };
  expect(() => expectLossFits(loss, wasm)).toThrow(/layers in all evaluations and derivatives/);
});
