/** A golden case of the loss: a small MLP, a batch, and every quantity of FDM computed elsewhere in f64. */
import { condOT } from "../../flow/paths/cond-ot.ts";
import { cosine } from "../../flow/paths/cosine.ts";
import { linearVP } from "../../flow/paths/linear-vp.ts";
import type { PathScheduler } from "../../flow/paths/path.ts";
import { polynomial } from "../../flow/paths/polynomial.ts";
import { ve } from "../../flow/paths/ve.ts";
import { vp } from "../../flow/paths/vp.ts";
import { type ActivationKind, activationKinds } from "../../ops/activation.ts";
import { Fields } from "./case-fields.ts";

/** Paths by their names in case files; all at default options. */
export const casePaths: ReadonlyMap<string, () => PathScheduler> = new Map([
  ["cond-ot", () => condOT()],
  ["linear-vp", () => linearVP()],
  ["cosine", () => cosine()],
  ["vp", () => vp()],
  ["ve", () => ve()],
  ["poly3", () => polynomial({ degree: 3 })],
]);

/**
 * Quantities that are compared as one vector, with their sizes for batch B and dimension D. They stand in the order in
 * which one is computed from another: the first that is off says where to look.
 */
export const vectorSizes = {
  alpha: (B: number, _D: number) => B,
  sigma: (B) => B,
  dAlpha: (B) => B,
  dSigma: (B) => B,
  xt: (B, D) => B * D,
  targetVelocity: (B, D) => B * D,
  score: (B, D) => B * D,
  velocity: (B, D) => B * D,
  jvp: (B, D) => B * D,
  vjp: (B, D) => B * D,
  hutchinson: (B) => B,
  divergence: (B) => B,
  residual: (B) => B,
  cfm: () => 1,
  cdm: () => 1,
  slice: () => 1,
  fdm: () => 1,
  fdmSlice: () => 1,
} satisfies Record<string, (B: number, D: number) => number>;

export type VectorQuantity = keyof typeof vectorSizes;

/** Quantities with one tensor for each linear layer. */
export const layerQuantities = ["weightGrads", "biasGrads", "sliceWeightGrads", "sliceBiasGrads"] as const;
export type LayerQuantity = (typeof layerQuantities)[number];

/** Whether its tensors have the shapes of the weights; else of the biases. */
export function isOfWeights(quantity: LayerQuantity): boolean {
  return quantity === "weightGrads" || quantity === "sliceWeightGrads";
}

/** The largest sizes taken: more than any self test needs, and the exact divergence costs a jvp for each dimension. */
const MOST_DIMENSIONS = 256;
const GREATEST_WIDTH = 8192;

export interface MLPCase {
  /** D. */
  readonly dimension: number;
  /** Width of each hidden layer. */
  readonly hidden: readonly number[];
  readonly activation: ActivationKind;
  readonly path: PathScheduler;
  /** B. */
  readonly batch: number;
  readonly detachVelocity: boolean;
  readonly power: 1 | 2;
  readonly divergenceWeight: number;
  /** By layer, [inputs, outputs] row-major. */
  readonly weights: readonly (readonly number[])[];
  readonly biases: readonly (readonly number[])[];
  /** Data, noise and probe, [B, D]; times [B]. */
  readonly x1: readonly number[];
  readonly x0: readonly number[];
  readonly t: readonly number[];
  readonly probe: readonly number[];
  readonly expected: Readonly<Record<VectorQuantity, readonly number[]>> &
    Readonly<Record<LayerQuantity, readonly (readonly number[])[]>>;
}

/**
 * The case that this JSON value is.
 *
 * @param file - what messages call it.
 * @throws {@link DataError} naming the field that is missing or wrong.
 */
export function parseMLPCase(given: unknown, file: string): MLPCase {
  const fields = new Fields(given, `${file}: `);
  const batch = fields.integer("batch");
  const dimension = fields.integer("dimension", MOST_DIMENSIONS);
  const width = fields.integer("hidden", GREATEST_WIDTH);
  const hiddenLayers = fields.integer("hiddenLayers");
  const activation = fields.choice("activation", activationKinds);
  const path = casePaths.get(fields.choice("path", [...casePaths.keys()])) as () => PathScheduler;

  // Before anything of these sizes is made: the text must hold as many layers as it says.
  fields.list("weights", hiddenLayers + 1);
  const widths = [dimension + 1, ...Array<number>(hiddenLayers).fill(width), dimension];
  const outputs = widths.slice(1);
  const weightSizes = outputs.map((size, layer) => size * (widths[layer] as number));

  const inputs: Omit<MLPCase, "expected"> = {
    dimension,
    hidden: Array<number>(hiddenLayers).fill(width),
    activation,
    path: path(),
    batch,
    detachVelocity: fields.choice("detachVelocity", [true, false]),
    power: fields.choice("power", [1, 2]),
    divergenceWeight: fields.positive("divergenceWeight"),
    weights: fields.layers("weights", weightSizes),
    biases: fields.layers("biases", outputs),
    x1: fields.numbers("x1", batch * dimension),
    x0: fields.numbers("x0", batch * dimension),
    t: fields.numbers("t", batch, 0, 1),
    probe: fields.numbers("probe", batch * dimension),
  };

  const expected = fields.object("expected");
  expected.only([...Object.keys(vectorSizes), ...layerQuantities]);
  const vectors = Object.fromEntries(
    Object.entries(vectorSizes).map(([name, size]) => [name, expected.quantity(name, size(batch, dimension))]),
  ) as Record<VectorQuantity, number[]>;
  const byLayer = Object.fromEntries(
    layerQuantities.map((name) => [name, expected.layers(name, isOfWeights(name) ? weightSizes : outputs)]),
  ) as Record<LayerQuantity, number[][]>;

  return { ...inputs, expected: { ...vectors, ...byLayer } };
}
