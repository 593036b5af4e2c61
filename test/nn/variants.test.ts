// Networks under options that the golden cases do not have, against plain loops from their originals' definitions.
import { describe, expect, test } from "vitest";
import { jvp } from "../../src/autodiff/jvp.ts";
import { evaluate } from "../../src/graph/evaluate.ts";
import type { Shape } from "../../src/graph/node.ts";
import { classes } from "../../src/nn/conditions.ts";
import { type Network, parameterLayout, parameterViews } from "../../src/nn/network.ts";
import { residualMlp } from "../../src/nn/residual-mlp.ts";
import { sineCosine, sit } from "../../src/nn/sit.ts";
import { toTorch } from "../../src/nn/torch.ts";
import { unet2d } from "../../src/nn/unet2d.ts";
import { table } from "../../src/ops/sources.ts";
import { HostRandom } from "../../src/ops/threefry.ts";
import { relativeError } from "../differences.ts";
import type { Picture, Vector, Weights } from "./plain/layers.ts";
import * as plain from "./plain/networks.ts";

const TIMES = [0.1328125, 0.7109375];
const LABELS = [2, 0];

/** One sample's velocity, row-major. */
type Definition = (weights: Weights, x: Vector, t: number, label: number) => Vector;

/** Holds a network with parameters of its own, none of them 0, to its definition: velocities, and tangents by differences. */
function expectDefined(network: Network, definition: Definition): void {
  const layout = parameterLayout(network);
  const random = new HostRandom(5);
  const flat = random.normal(layout.total, 1).map((value) => 0.4 * value);
  const views = parameterViews(table([...flat], [layout.total]), layout);
  const [rows, { dimension }] = [TIMES.length, network];
  const [x, dx] = [2, 3].map((stream) => [...random.normal(rows * dimension, stream)]) as [number[], number[]];
  const told = network.conditions && new Map([["label", table(LABELS, [rows], "u32")]]);
  const input = table(x, [rows, dimension]);
  const velocity = network.apply(views, input, table(TIMES, [rows, 1]), told);
  const [tangent] = jvp([velocity], [input], [table(dx, [rows, dimension])]);
  const [given, along] = evaluate([velocity, tangent as typeof velocity]);

  const weights = toTorch(flat, layout);
  const defined = (step: number) =>
    TIMES.flatMap((t, row) => {
      const own = (i: number) => (x[row * dimension + i] as number) + step * (dx[row * dimension + i] as number);
      return definition(
        weights,
        Array.from({ length: dimension }, (_, i) => own(i)),
        Math.fround(t),
        LABELS[row]!,
      );
    });
  expect(relativeError(given!.data, defined(0))).toBeLessThan(1e-12);
  // Of h = 1e-4 central differences are right to h^2 times a third derivative, and to 2^-53 / h.
  const [ahead, behind] = [defined(1e-4), defined(-1e-4)];
  const differences = ahead.map((value, i) => (value - (behind[i] as number)) / 2e-4);
  expect(relativeError(along!.data, differences)).toBeLessThan(1e-6);
}

/** Row-major numbers [H, W, C] as a picture, and back. */
function pictureOf(values: Vector, [height, width, channels]: Shape): Picture {
  const pixel = (i: number, j: number) => {
    const from = (i * width! + j) * channels!;
    return values.slice(from, from + channels!);
  };
  return Array.from({ length: height! }, (_, i) => Array.from({ length: width! }, (_, j) => pixel(i, j)));
}
const flatOf = (picture: Picture): Vector => picture.flat(2);

describe("unet2d", () => {
  const sample = [4, 8, 2] as const;
  const common: plain.UNetOptions = {
    ...{ channels: 4, multipliers: [1, 2], residualBlocks: 1, attentionAt: [2], heads: 2, groups: 2, epsilon: 1e-5 },
    ...{ attentionOrder: "heads", resampling: "convolution", scaleShift: false },
  };
  test.each<Partial<plain.UNetOptions>>([
    {},
    { resampling: "residual" },
    { resampling: "residual", scaleShift: true, attentionAt: [] },
    { resampling: "plain" },
    { resampling: "plain", multipliers: [2, 1], residualBlocks: 2 },
    { attentionOrder: "kinds" },
    { attentionOrder: "kinds", heads: 4, attentionAt: [1, 2] },
    { attentionOrder: "kinds", resampling: "residual", multipliers: [1, 2, 3] },
  ])("with %j", (more) => {
    const options = { ...common, ...more };
    expectDefined(unet2d({ sample, ...options }), (weights, x, t) =>
      flatOf(plain.unet(weights, options, pictureOf(x, sample), t)),
    );
  });
});

describe("sit", () => {
  const sample = [4, 6, 3] as const;
  const common = { patch: 2, width: 8, depth: 2, heads: 2, frequencies: 5, epsilon: 1e-6 };
  test.each([{ learnSigma: false }, { learnSigma: true }, { learnSigma: true, patch: 1, heads: 4 }])(
    "with %j",
    (more) => {
      const options = { ...common, ...more };
      expectDefined(sit({ sample, ...options, conditions: { label: classes(3) } }), (weights, x, t, label) =>
        flatOf(plain.sit(weights, options, pictureOf(x, sample), t, label)),
      );
    },
  );

  test("has the positions of DiT: columns before rows, sines before cosines", () => {
    const found = sineCosine([3, 5], 12);
    expect(relativeError(found, plain.positionTable(3, 5, 12).flat())).toBe(0);
    const [row, column] = [2, 4];
    const place = found.slice((row * 5 + column) * 12, (row * 5 + column + 1) * 12);
    // At frequency 1: sin 4 and cos 4 of the column, sin 2 and cos 2 of the row.
    expect([place[0], place[3], place[6], place[9]].map((value) => value?.toFixed(6))).toEqual([
      "-0.756802",
      "-0.653644",
      "0.909297",
      "-0.416147",
    ]);
  });
});

describe("residualMlp", () => {
  test.each([
    { width: 6, depth: 2, frequencies: 3, timeScale: 1000, epsilon: 1e-6 },
    { width: 5, depth: 1, frequencies: 4, timeScale: 10, epsilon: 1e-2 },
  ])("with %j", (options) => {
    const network = residualMlp({ dimension: 3, ...options, conditions: { label: classes(3) } });
    expectDefined(network, (weights, x, t, label) => plain.residualPerceptron(weights, options, x, t, label));
  });
});
