/**
 * What an op is: a name, a shape rule, two derivative rules written in ops, and an f64 reference. `defineOp` turns a
 * definition into the function that makes its nodes.
 */
import { ConfigError } from "../errors.ts";
import { type DType, type Node, type Shape, sizeOf } from "./node.ts";

/** A value on the host in f64; u32 values are exact in it. */
export interface HostTensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** A case that the op tests run: input shapes, attributes, and the range inputs are drawn from (default N(0, 1)). */
export interface OpCase<Attributes> {
  readonly shapes: readonly Shape[];
  readonly attributes: Attributes;
  /** Maps a standard normal draw to a valid input, for ops not defined or not smooth everywhere; by input or for all. */
  readonly domain?: (x: number, input: number) => number;
  /** Inputs given as they are, for u32 inputs such as indices: input number -> values. */
  readonly integers?: Readonly<Record<number, readonly number[]>>;
  /** How many jvps and vjps may be nested; any number when left out. One more throws UnsupportedError. */
  readonly derivatives?: number;
}

/**
 * An op's cases stand beside its definition, in a function of their own that src/ops/registry.ts pairs with it. Only
 * tests read that registry, so bundles leave the cases out.
 */
export type OpCases<Attributes> = () => readonly OpCase<Attributes>[];

/** Rules are methods, so that definitions with any attributes fit `OpDefinition` of unknown attributes. */
export interface OpDefinition<Attributes = unknown> {
  readonly name: string;

  /** Shape of the result; throws ConfigError when the inputs do not fit. */
  shape(inputs: readonly Shape[], attributes: Attributes): Shape;

  /** Element type of the result; f32 when left out. */
  dtype?(inputs: readonly DType[], attributes: Attributes): DType;

  /**
   * Forward mode: the tangent of `node` from those of its inputs. An undefined tangent is zero; an undefined result
   * is zero. Left out: the op has derivative zero everywhere (random numbers, comparisons, u32 results).
   */
  jvp?(node: Node<Attributes>, tangents: readonly (Node | undefined)[]): Node | undefined;

  /** Reverse mode: the cotangents of the inputs from that of `node`; undefined is zero. Left out: all are zero. */
  vjp?(node: Node<Attributes>, cotangent: Node): readonly (Node | undefined)[];

  /** The value in f64. */
  reference(inputs: readonly HostTensor[], attributes: Attributes, shape: Shape): HostTensor;

  /**
   * Elementwise ops only: the name of the function in shaders/elementwise.wgsl or activation.wgsl and of the loop in
   * wasm/apply.ts (see src/kernels/elementwise.ts). All inputs have the shape of the result.
   */
  elementwise?(attributes: Attributes): string;

  /** Composites only (src/ops/composite.ts): the node in other ops. Derivatives follow from it where rules are left out. */
  expand?(node: Node<Attributes>): Node;

  /** Composites only: the kernel that computes it, on backends that have it. */
  readonly kernel?: CompositeKernel;

  /** Products of a left operand that is no matrix: which product it is of its inputs left, right and perhaps a bias. */
  product?(node: Node<Attributes>): Product;

  /** Ops that plans have another op for: its node. */
  planned?(node: Node<Attributes>): Node;

  /** Ops of plans: the node that also does what `reader`, which alone reads this one, does; undefined where none can. */
  taking?(node: Node<Attributes>, reader: Node): Node | undefined;

  /** Ops of plans: the kernel call that the node is. */
  call?(node: Node<Attributes>): PlannedCall;

  /**
   * The same of kernels that find elements by strides: those of the inputs, of which one of the last two is 1, and those of
   * the result, of which the last is 1. What reads such a node may say where it is to lie.
   */
  stridedCall?(node: Node<Attributes>, inputs: readonly Strides[], result: Strides): PlannedCall;
}

/** Elements from one to the next along each axis. */
export type Strides = readonly number[];

/** left right + bias, as plans see it. */
export interface Product {
  readonly transposeLeft: boolean;
  readonly transposeRight: boolean;
  /** Rows, from the first, that the bias is added to; 0: there is none. */
  readonly biasRows: number;
  /** How the left operand is seen, where it is no matrix. */
  readonly seen?: SeenOperand;
}

export interface SeenOperand {
  /** Equal where operands are seen alike. */
  readonly key: string;
  /** Such a product of other operands. */
  make(inputs: readonly Node[], product: Omit<Product, "seen">): Node;
}

/** How nodes of composites become calls of a kernel: those of one key that do not need each other become one. */
export interface CompositeKernel {
  /** Among `PlanLimits.optionalKernels` of backends that have it. */
  readonly name: string;
  /** What nodes of one call share: these inputs and attributes. Undefined: the kernel does not take the node. */
  key(node: Node): readonly unknown[] | undefined;
  /** Most nodes of one call. */
  readonly most: number;
  /**
   * Nodes are of one call only where they, or what `addend` says is of them, are added up and read nowhere else: `build`
   * then gives their sum in place of the first, zeros in place of the others.
   */
  readonly sums?: { addendOf(term: Node): Node | undefined };
  /** What takes the place of each node. */
  build(nodes: readonly Node[]): readonly Node[];
}

/** A kernel call before its operands have places. */
export interface PlannedCall {
  readonly kernel: string;
  readonly parameters: Readonly<Record<string, number>>;
  /** The binding of each input, and that of the result. */
  readonly reads: readonly string[];
  readonly write: string;
  readonly flops: number;
  /** What it does, for people: "attention of t1". */
  label(names: readonly string[]): string;
}

/** Makes nodes of one op; `op` is its definition. */
export interface OpFunction<Attributes> {
  (inputs: readonly Node[], attributes: Attributes): Node<Attributes>;
  readonly op: OpDefinition<Attributes>;
}

/** The function that makes nodes of this op, with shape and dtype worked out. */
export function defineOp<Attributes>(definition: OpDefinition<Attributes>): OpFunction<Attributes> {
  const make = (inputs: readonly Node[], attributes: Attributes): Node<Attributes> => {
    const shape = definition.shape(
      inputs.map((input) => input.shape),
      attributes,
    );
    if (!shape.every((size) => Number.isInteger(size) && size > 0) || !Number.isSafeInteger(sizeOf(shape))) {
      throw new ConfigError({
        subject: `shape of ${definition.name}`,
        given: shape,
        expected: "positive integers",
        remedy: "Every axis needs at least one element.",
      });
    }
    const dtype =
      definition.dtype?.(
        inputs.map((input) => input.dtype),
        attributes,
      ) ?? "f32";
    return { op: definition, inputs, attributes, shape, dtype };
  };
  return Object.assign(make, { op: definition });
}
