/**
 * A golden case: a small network, a batch, and every quantity of the FDM loss computed elsewhere in f64. The text comes
 * from a user, so each field is checked, and what is wrong is named.
 */
import { DataError } from "../errors.ts";
import { condOT } from "../flow/paths/cond-ot.ts";
import { cosine } from "../flow/paths/cosine.ts";
import { linearVP } from "../flow/paths/linear-vp.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import { polynomial } from "../flow/paths/polynomial.ts";
import { ve } from "../flow/paths/ve.ts";
import { vp } from "../flow/paths/vp.ts";
import { type ActivationKind, activationKinds } from "../ops/activation.ts";

/** Paths by their names in case files; all at default options. */
const paths: ReadonlyMap<string, () => PathScheduler> = new Map([
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

export interface GoldenCase {
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
 * The case that this JSON text holds.
 *
 * @param file - what messages call it.
 * @throws {@link DataError} naming the field that is missing or wrong.
 */
export function parseGoldenCase(text: string, file: string): GoldenCase {
  const fields = new Fields(parseJson(text, file), `${file}: `);
  const batch = fields.integer("batch");
  const dimension = fields.integer("dimension", MOST_DIMENSIONS);
  const width = fields.integer("hidden", GREATEST_WIDTH);
  const hiddenLayers = fields.integer("hiddenLayers");
  const activation = fields.choice("activation", activationKinds);
  const path = paths.get(fields.choice("path", [...paths.keys()])) as () => PathScheduler;

  // Before anything of these sizes is made: the text must hold as many layers as it says.
  fields.list("weights", hiddenLayers + 1);
  const widths = [dimension + 1, ...Array<number>(hiddenLayers).fill(width), dimension];
  const outputs = widths.slice(1);
  const weightSizes = outputs.map((size, layer) => size * (widths[layer] as number));

  const inputs: Omit<GoldenCase, "expected"> = {
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

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const given = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      { subject: file, given, expected: "JSON text", remedy: "Give a case file, as `divflow verify` ships them." },
      { cause },
    );
  }
}

/** The largest finite f32: what a device can be given. */
const LARGEST = 3.4028234663852886e38;

/** The fields of one object of the file. `place` is what messages put before a field's name. */
class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #place: string;

  constructor(given: unknown, place: string) {
    this.#place = place;
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      this.#refuse("", given, "an object");
    }
    this.#object = given as Readonly<Record<string, unknown>>;
  }

  object(name: string): Fields {
    return new Fields(this.#value(name), `${this.#place}${name}.`);
  }

  /** Refuses fields of other names: a misspelt quantity must not go uncompared. */
  only(names: readonly string[]): void {
    const other = Object.keys(this.#object).find((name) => !names.includes(name));
    if (other !== undefined) this.#refuse(other, "a field of this name", `only ${names.join(", ")}`);
  }

  integer(name: string, maximum = Number.MAX_SAFE_INTEGER): number {
    const value = this.#value(name) as number;
    if (Number.isSafeInteger(value) && value >= 1 && value <= maximum) return value;
    const bound = maximum < Number.MAX_SAFE_INTEGER ? ` up to ${maximum}` : "";
    return this.#refuse(name, value, `a positive integer${bound}`);
  }

  positive(name: string): number {
    const value = this.#value(name);
    if (typeof value === "number" && value > 0 && value <= LARGEST) return value;
    return this.#refuse(name, value, "a positive number");
  }

  choice<Choice>(name: string, choices: readonly Choice[]): Choice {
    const value = this.#value(name);
    const choice = choices.find((candidate) => candidate === value);
    return choice ?? this.#refuse(name, value, `one of ${choices.join(", ")}`);
  }

  list(name: string, length: number): readonly unknown[] {
    return this.#list(name, this.#value(name), length);
  }

  numbers(name: string, length: number, minimum = -LARGEST, maximum = LARGEST): number[] {
    return this.#numbers(name, this.#value(name), length, minimum, maximum);
  }

  /** A list of numbers; one alone may stand without its brackets. */
  quantity(name: string, length: number): number[] {
    const value = this.#value(name);
    if (length === 1 && !Array.isArray(value)) return [this.#number(name, value, -LARGEST, LARGEST)];
    return this.#numbers(name, value, length, -LARGEST, LARGEST);
  }

  /** A list of numbers for each layer. */
  layers(name: string, sizes: readonly number[]): number[][] {
    const list = this.list(name, sizes.length);
    return sizes.map((size, layer) => this.#numbers(`${name}[${layer}]`, list[layer], size, -LARGEST, LARGEST));
  }

  #value(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? this.#object[name] : this.#refuse(name, "nothing", "a value");
  }

  #list(name: string, value: unknown, length: number): readonly unknown[] {
    if (!Array.isArray(value)) return this.#refuse(name, value, `a list of ${length}`);
    if (value.length !== length) return this.#refuse(name, `${value.length} entries`, `${length} entries`);
    return value;
  }

  #numbers(name: string, value: unknown, length: number, minimum: number, maximum: number): number[] {
    return this.#list(name, value, length).map((entry, i) => this.#number(`${name}[${i}]`, entry, minimum, maximum));
  }

  #number(name: string, value: unknown, minimum: number, maximum: number): number {
    if (typeof value === "number" && value >= minimum && value <= maximum) return value;
    return this.#refuse(name, value, `a number from ${minimum} to ${maximum}`);
  }

  #refuse(name: string, given: unknown, expected: string): never {
    const subject = `${this.#place}${name}`.replace(/[.: ]+$/, "");
    throw new DataError({
      subject,
      given,
      expected,
      remedy: "Correct the field; the cases that ship with divflow show the format.",
    });
  }
}
