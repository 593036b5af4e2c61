// Paths of letters and the losses on them: velocities, residuals of what is exact, estimates, gradients, refusals.
import { describe, expect, test } from "vitest";
import { gradient } from "../../../src/autodiff/vjp.ts";
import type { Loss } from "../../../src/flow/losses/loss.ts";
import { fieldOf } from "../../../src/flow/network-field.ts";
import { graphPath } from "../../../src/flow/paths/graph-path.ts";
import { onPath, type PathScheduler } from "../../../src/flow/paths/path.ts";
import type { Node } from "../../../src/graph/node.ts";
import { cfm, condOT, fdm, mlp, type Network } from "../../../src/index.ts";
import { crossEntropy, dirichlet, dirichletFactor, linearSimplex } from "../../../src/letters.ts";
import { cnn, defineNetwork, linearLayer, ops } from "../../../src/networks.ts";
import { random } from "../../../src/ops/random.ts";
import { state, table } from "../../../src/ops/sources.ts";
import { HostRandom, seedOf } from "../../../src/ops/threefry.ts";
import { numbers, valuesOf } from "../evaluate.ts";

const sample = [2, 3] as const;
const layer = linearLayer("only", 7, 6);
const logits = defineNetwork({
  name: "logits",
  sample,
  parameters: [layer],
  apply: ({ x, t }, values) => layer.apply(values, ops.concat([ops.reshape(x, [x.shape[0], 6]), t], 1)),
});
const parameters = new Map(logits.parameters.map(({ name, shape }) => [name, state({ name, shape, dtype: "f32" })]));
const values = new Map<string, ArrayLike<number>>(
  logits.parameters.map(({ name, shape }, i) => [
    name,
    new HostRandom(4).normal(
      shape.reduce((a, b) => a * b),
      0x900 + i,
    ),
  ]),
);

/** Points [3, L, K] of the simplex. */
const points = Array.from({ length: 3 }, (_, row) => {
  const all = new HostRandom(row + 1).uniform(6, 0x900).map((u) => -Math.log(u + 1e-3) + 1e-3);
  return Array.from(all, (value, i) => value / (i < 3 ? all[0] + all[1] + all[2] : all[3] + all[4] + all[5]));
});
const times = [0.1, 0.5, 0.9];

const [onDirichlet, onLinear] = [dirichlet({ sample }), linearSimplex({ sample })];

/** p, and the network's velocity on the path, at these points. */
function velocitiesOn(path: PathScheduler) {
  const [x, t] = [numbers(points.flat(), [3, 6]), numbers(times, [3, 1])];
  const at = (network: Network) => fieldOf(network, parameters)(x, t);
  const [raw, velocity] = valuesOf([at(logits), at(onPath(logits, path))], values) as [Float64Array, Float64Array];
  const p = Array.from({ length: 18 }, (_, i) => {
    const first = i - (i % 3);
    const powers = [0, 1, 2].map((k) => Math.exp(raw[first + k] as number));
    return Math.exp(raw[i] as number) / (powers[0] + powers[1] + powers[2]);
  });
  return { p, velocity };
}

test("on the Dirichlet path v = sum_j p_j C(x_j, a) (e_j - x), by t", () => {
  const { p, velocity } = velocitiesOn(dirichlet({ sample, largest: 5 }));
  for (let i = 0; i < 18; i++) {
    const [row, first] = [Math.floor(i / 6), i - (i % 3)];
    const a = 1 + 4 * times[row];
    const moved = [0, 1, 2].map((k) => p[first + k] * dirichletFactor(points[row][(first % 6) + k], a, 3).factor);
    const expected = moved[i % 3] - points[row][i % 6] * (moved[0] + moved[1] + moved[2]);
    expect(velocity[i] / 4).toBeCloseTo(expected, 7);
  }
});

test("on the linear path v = (p - x)/(1 - t)", () => {
  const { p, velocity } = velocitiesOn(onLinear);
  for (let i = 0; i < 18; i++) {
    const row = Math.floor(i / 6);
    expect(velocity[i]).toBeCloseTo((p[i] - points[row][i % 6]) / (1 - times[row]), 10);
  }
});

test("a path read from plain data gives the same velocities; a damaged one is refused", () => {
  for (const path of [onDirichlet, onLinear]) {
    const plain = JSON.parse(JSON.stringify(path.options));
    expect(velocitiesOn(graphPath(plain)).velocity).toEqual(velocitiesOn(path).velocity);
    expect(() => graphPath({ ...plain, sample: [3, 2] })).toThrow(/checksum/);
    expect(() => graphPath({ ...plain, simplex: undefined })).toThrow(/path/);
  }
});

/** A loss's terms on a batch of letters, and their gradients by the parameters. */
function terms(
  loss: Loss,
  path: PathScheduler,
  network: Network,
  seed = 1,
  given: ReadonlyMap<string, Node> = parameters,
) {
  let stream = 0;
  const source = { seed: table([...seedOf(seed)], [2], "u32"), counter: table([0], [1], "u32") };
  const draw = (kind: "uniform" | "normal" | "rademacher", shape: readonly number[]) =>
    random(kind, shape, { ...source, stream: stream++ });
  const rows = 64;
  const letters = Array.from({ length: rows * 2 }, (_, i) => [0, 1, 2].map((k) => (k === (i * 7) % 3 ? 1 : 0))).flat();
  const bound = onPath(network, path);
  return (loss.forNetwork?.(bound, path) ?? loss).build({
    network: fieldOf(bound, given),
    path,
    x0: draw("normal", [rows, 6]),
    x1: numbers(letters, [rows, 6]),
    t: draw("uniform", [rows, 1]),
    random: draw,
  });
}

describe("the loss", () => {
  const path = onDirichlet;
  const nothing = defineNetwork({
    name: "nothing",
    sample,
    parameters: [{ name: "scale", shape: [1, 6], initial: { kind: "constant", value: 0 }, torchLayout: "as-is" }],
    apply: ({ x }, given) => ops.add(ops.multiply(x, 0), ops.reshape(given.get("scale") as Node, [1, 2, 3])),
  });

  test("is the cross-entropy of the letters: ln K where the network knows nothing", () => {
    const zero = new Map([["scale", numbers(new Array(6).fill(0), [1, 6])]]);
    const { loss, velocityLoss, divergenceLoss } = terms(crossEntropy(), path, nothing, 1, zero);
    const [found, same] = valuesOf([loss, velocityLoss]);
    expect(found[0]).toBeCloseTo(Math.log(3), 12);
    expect(same).toEqual(found);
    expect(divergenceLoss).toBeUndefined();
  });

  test("has a residual of 0, in f32 too, where the network is certain and right", () => {
    const always = defineNetwork({
      name: "always",
      sample: [1, 6],
      parameters: [{ name: "scale", shape: [1, 6], initial: { kind: "constant", value: 0 }, torchLayout: "as-is" }],
      apply: ({ x }, given) => ops.add(ops.multiply(x, 0), ops.reshape(given.get("scale") as Node, [1, 1, 6])),
    });
    const on = dirichlet({ sample: [1, 6] });
    const bound = onPath(always, on);
    const loss = crossEntropy({ divergence: 1 }).forNetwork?.(bound, on) as Loss;
    const rows = 2000;
    const rootMeanSquare = (logit: number, precision: "f64" | "f32") => {
      let stream = 0;
      const source = { seed: table([5, 0], [2], "u32"), counter: table([0], [1], "u32") };
      const { divergenceLoss } = loss.build({
        network: fieldOf(bound, new Map([["scale", numbers([0, 0, 0, logit, 0, 0], [1, 6])]])),
        path: on,
        x0: numbers(new Array(rows * 6).fill(0), [rows, 6]),
        x1: numbers(
          Array.from({ length: rows * 6 }, (_, i) => (i % 6 === 3 ? 1 : 0)),
          [rows, 6],
        ),
        t: random("uniform", [rows, 1], { ...source, stream: 90 }),
        random: (kind, shape) => random(kind, shape, { ...source, stream: stream++ }),
      });
      return Math.sqrt(valuesOf([divergenceLoss as Node], new Map(), precision)[0][0]);
    };
    // Of r / (L K); the largest terms of r are the logarithms and psi(a+K-1) - psi(a), up to 10.
    expect(rootMeanSquare(200, "f32")).toBeLessThan(1e-6);
    expect(rootMeanSquare(1, "f32")).toBeGreaterThan(0.01);
  });

  test.each([
    ["held constant", true],
    ["differentiated", false],
  ])("has the gradient of its differences, the score's probabilities %s", (_, detachVelocity) => {
    const lossOf = (detach: boolean) =>
      terms(crossEntropy({ divergence: 3, detachVelocity: detach }), path, logits).loss;
    const [loss, whole] = [lossOf(detachVelocity), lossOf(false)];
    const names = [...parameters.keys()];
    const nodes = names.map((name) => parameters.get(name) as Node);
    const found = valuesOf(gradient(loss, nodes), values);
    const at = (name: string, i: number, h: number) => {
      const moved = Float64Array.from(values.get(name) as ArrayLike<number>);
      moved[i] += h;
      return valuesOf([whole], new Map([...values, [name, moved]]))[0][0];
    };
    const differences = names.map((name, k) =>
      Array.from({ length: Math.min(6, found[k].length) }, (_, i) => (at(name, i, 1e-5) - at(name, i, -1e-5)) / 2e-5),
    );
    const off = Math.max(...differences.flatMap((list, k) => list.map((value, i) => Math.abs(value - found[k][i]))));
    if (detachVelocity) expect(off).toBeGreaterThan(1e-3);
    else expect(off).toBeLessThan(1e-7);
    expect(valuesOf([loss], values)[0][0]).toBe(valuesOf([whole], values)[0][0]);
  });
});

describe("is refused", () => {
  const build = (loss: Loss, path: PathScheduler) => () => terms(loss, path, logits);
  test.each<[string, () => unknown, RegExp]>([
    ["cfm on letters", build(cfm(), onDirichlet), /path "dirichlet": got .*alpha and sigma.*crossEntropy/],
    ["fdm on letters", build(fdm(), onLinear), /path "linear-simplex": .*crossEntropy\(\)/],
    ["cross-entropy on noise", build(crossEntropy(), condOT()), /path of crossEntropy: got "cond-ot".*dirichlet/],
    [
      "a residual on the linear path",
      build(crossEntropy({ divergence: 0.1 }), onLinear),
      /divergence of crossEntropy: got .*linear path.*simplex that shrinks/,
    ],
    ["Gaussian noise", () => onDirichlet.priorDeviation, /Gaussian noise/],
    ["another sample", () => onPath(mlp({ dimension: 7 }), onDirichlet), /sample of the network on path/],
    [
      "another concentration",
      () => onPath(cnn({ sample: [2, 3], channels: 4 }), dirichlet({ sample, largest: 6 })),
      /timeFactor of the cnn.*Set timeFactor to 5/,
    ],
    ["one letter", () => dirichlet({ sample: [4, 1] }), /sample of dirichlet: got .*2 to 256 letters/],
    ["too large an a", () => dirichlet({ sample, largest: 40 }), /largest of dirichlet: got 40/],
    ["no sample", () => linearSimplex({} as never), /sample of linearSimplex/],
    ["a negative weight", () => crossEntropy({ divergence: -1 }), /divergence of crossEntropy/],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
