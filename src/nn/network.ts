/**
 * What a network is: parameter declarations and a function that builds its graph. All parameters live in one flat
 * vector, so that the optimizer is one chain over it; networks see named views of that vector.
 */
import { ConfigError } from "../errors.ts";
import { type Node, type Shape, sizeOf } from "../graph/node.ts";
import { concat, reshape, slice } from "../ops/shape.ts";

export interface ParameterDeclaration {
  /** PyTorch's name of the tensor, such as "0.weight". */
  readonly name: string;
  /** Ours; a linear weight is [inputs, outputs], a convolution's [...taps, inputs, outputs]. */
  readonly shape: Shape;
  readonly initial: Initial;
  /** How it lies on disk, as PyTorch has it: [outputs, inputs, ...taps], or as it is. */
  readonly torchLayout: "outputs-first" | "as-is";
}

/**
 * How a parameter starts: U(-bound, bound), where PyTorch's nn.Linear has 1/sqrt(inputs) for weight and bias; N(0,
 * deviation^2); or one number.
 */
export type Initial =
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "normal"; readonly deviation: number }
  | { readonly kind: "constant"; readonly value: number };

/** Something that a network is told of each sample beside its point and time, such as a class or earlier frames. */
export interface ConditionDeclaration {
  /** Of one sample: [4] is four numbers, [3, C] three frames, [] a single number; of a label []. */
  readonly shape: Shape;
  /** Left out: the condition is numbers. Given: it is a label, an integer from 0 to `classes` - 1. */
  readonly classes?: number;
  /**
   * Probability in [0, 1) that a row in training is not told it, so that the model also learns the field without it (Ho
   * and Salimans, Classifier-Free Diffusion Guidance, 2022); default 0, and it must then always be told.
   */
  readonly drop?: number;
}

/** Declarations by name. */
export type ConditionDeclarations = Readonly<Record<string, ConditionDeclaration>>;

/**
 * Values by name, a row for each point: of numbers f32 [B, ...shape]; of a label u32 [B], where `classes` itself stands
 * for one that is not told. Numbers that may be dropped are 0 where they are not told, and "name.told" [B, 1] is then 0,
 * else 1.
 */
export type Conditions = ReadonlyMap<string, Node>;

/** Under which name a network finds whether it is told numbers that may be dropped. */
export const toldName = (name: string): string => `${name}.told`;

/** A tensor of PyTorch's files that is fixed: a buffer there, a table in our graphs. */
export interface ConstantTensor {
  /** PyTorch's name, such as "pos_embed". */
  readonly name: string;
  /** Row-major; how PyTorch shapes it does not matter. */
  readonly values: readonly number[];
  /** The option by which the network takes other values; left out: it follows from other options. */
  readonly option?: string;
}

/** Averages over the time from s to e along the flow: U [B, D] and, where a network has a head for it, A [B, 1]. */
export interface Averages {
  readonly velocity: Node;
  readonly divergence?: Node | undefined;
}

/** What makes a network a flow map: see nn/flow-map.ts. */
export interface AverageVelocity {
  /** Whether it has a head for the average divergence. */
  readonly divergence: boolean;
  /** Whether it is made for ends before the start too, as log-densities of given points need. */
  readonly reverse: boolean;
  /** The averages from times s to e, each [B, 1], for points x [B, D] at time s; at e = s they are those of `apply`. */
  at(parameters: ReadonlyMap<string, Node>, x: Node, s: Node, e: Node, conditions?: Conditions): Averages;
}

/** A velocity field v(x, t) with parameters. */
export interface Network {
  readonly kind: string;
  /** Plain JSON: {@link networkFromConfig} makes the same network of it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Numbers per sample, D. */
  readonly dimension: number;
  /** In PyTorch's order. */
  readonly parameters: readonly ParameterDeclaration[];
  /** Of a sample, [D] where it is left out: what the D numbers are in the network's eyes, such as [L, C] or [H, W, C]. */
  readonly sample?: Shape;
  /** What it must be told; left out: nothing. */
  readonly conditions?: ConditionDeclarations;
  /** What PyTorch's files have among the parameters and nobody trains; left out: nothing. */
  readonly constants?: readonly ConstantTensor[];
  /** Of a pair with a score: the expected noise E[z | x] [B, D], the score times -std, as `apply` gives velocities. */
  score?(parameters: ReadonlyMap<string, Node>, x: Node, t: Node, conditions?: Conditions): Node;
  /** Of a flow map. */
  readonly average?: AverageVelocity;
  /** Of one whose output a path turned into velocities: the network as it was. Left out: its output is the velocity. */
  readonly own?: Network;
  /**
   * Velocities [B, D] at points x [B, D] and times t [B, 1].
   *
   * @param conditions - what the network is told beside them, by name, a row for each point.
   */
  apply(parameters: ReadonlyMap<string, Node>, x: Node, t: Node, conditions?: Conditions): Node;
}

/** Where each parameter lies in the flat vector. */
export interface ParameterLayout {
  /** Elements of the flat vector. */
  readonly total: number;
  /** In the order of the vector. */
  readonly entries: readonly { readonly declaration: ParameterDeclaration; readonly offset: number }[];
}

/**
 * Tensors whose size is a multiple of 4 come first, so that their views stay 16-byte aligned and kernels may read four
 * numbers at once; within both halves the network's order is kept.
 */
export function parameterLayout(network: Network): ParameterLayout {
  const aligned = network.parameters.filter(({ shape }) => sizeOf(shape) % 4 === 0);
  const others = network.parameters.filter(({ shape }) => sizeOf(shape) % 4 !== 0);
  let total = 0;
  const entries = [...aligned, ...others].map((declaration) => {
    const offset = total;
    total += sizeOf(declaration.shape);
    return { declaration, offset };
  });
  return { total, entries };
}

/** The named parameters as views of the flat vector [N]. */
export function parameterViews(flat: Node, { total, entries }: ParameterLayout): Map<string, Node> {
  if (flat.shape.length !== 1 || flat.shape[0] !== total) {
    throw new ConfigError({
      subject: "flat parameters",
      given: flat.shape,
      expected: `shape [${total}]`,
      remedy: "Lay the vector out by this network's parameterLayout.",
    });
  }
  return new Map(
    entries.map(({ declaration: { name, shape }, offset }) => [
      name,
      reshape(slice(flat, 0, offset, offset + sizeOf(shape)), shape),
    ]),
  );
}

/** The flat vector [N] of values given by parameter name: how gradients of the views become one vector. */
export function flattenParameters(values: ReadonlyMap<string, Node>, { entries }: ParameterLayout): Node {
  return concat(
    entries.map(({ declaration: { name, shape } }) => {
      const value = values.get(name);
      if (value) return reshape(value, [sizeOf(shape)]);
      throw new ConfigError({
        subject: `parameter "${name}"`,
        given: "no value",
        expected: `a value of shape [${shape.join(", ")}]`,
        remedy: "Give a value for every parameter of the network.",
      });
    }),
    0,
  );
}
