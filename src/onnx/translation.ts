/**
 * From our ops to ONNX's operators, node by node. u32 values are int64 there, which more operators take. A value that is
 * the same along some axes is kept without them, and repeated only for operators that do not broadcast.
 */
import { UnsupportedError } from "../errors.ts";
import type { DType } from "../graph/node.ts";
import type { Size } from "../trace/plain.ts";
import type { Trace } from "../trace/trace.ts";
import type { Builder } from "./builder.ts";
import type { Attribute } from "./model-file.ts";
import { sameSizes } from "./sizes.ts";

/** Numbers on the host, which become an initializer when an operator reads them. */
export interface Held {
  /** What its name begins with. */
  readonly stem: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

/** The value of a node, in as many elements as differ: it broadcasts to the node's shape. */
export interface Result {
  readonly shape: readonly Size[];
  /** A name in the file, or what is to have one. */
  readonly from: string | Held;
  /** The same elements in the same order, of another shape. */
  readonly reshapedFrom?: Result;
}

/** A node of a trace with its inputs at hand. */
export interface OpenNode {
  readonly op: string;
  readonly inputs: readonly Value[];
  /** In their plain form. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly shape: readonly Size[];
  readonly dtype: DType;
}

/** What a value is to be, and what it is in the file. */
export interface Value {
  readonly shape: readonly Size[];
  readonly result: Result;
}

/** How nodes of an op are made of operators. */
export type Rule = (node: OpenNode, translation: Translation) => Result;

/** Rules by op; an op without one has the reason. */
export type Rules = Readonly<Record<string, Rule | { readonly none: string }>>;

export class Translation {
  readonly builder: Builder;
  readonly #rules: Rules;
  readonly #names = new Map<Held, string>();

  constructor(builder: Builder, rules: Rules) {
    this.builder = builder;
    this.#rules = rules;
  }

  /**
   * Names of the trace's outputs.
   *
   * @param inputs - what stands for each input of the trace, by name.
   * @throws {@link UnsupportedError} for an op, or an attribute of one, that ONNX does not have.
   */
  translate({ inputs, nodes, outputs }: Trace, given: ReadonlyMap<string, Result>): ReadonlyMap<string, string> {
    const values = inputs.map(({ name, shape }): Value => ({ shape, result: given.get(name) as Result }));
    for (const { attributes = {}, ...node } of nodes) {
      const open = { ...node, attributes, inputs: node.inputs.map((number) => values[number] as Value) };
      values.push({ shape: node.shape, result: this.#translated(open) });
    }
    return new Map(Object.entries(outputs).map(([name, number]) => [name, this.full(values[number] as Value)]));
  }

  #translated(node: OpenNode): Result {
    const rule = Object.hasOwn(this.#rules, node.op) ? this.#rules[node.op] : undefined;
    if (typeof rule === "function") return rule(node, this);
    throw noOperator(node, rule?.none ?? "no rule makes it of operators");
  }

  /** The name of what a value is in the file. */
  nameOf({ from }: Result): string {
    if (typeof from === "string") return from;
    const known = this.#names.get(from);
    if (known !== undefined) return known;
    const name = this.builder.initializer(from.stem, from.shape, from.values);
    this.#names.set(from, name);
    return name;
  }

  /** A value in all its elements. */
  whole({ result, shape }: Value): Result {
    if (sameSizes(result.shape, shape)) return result;
    return { shape, from: this.builder.operation("Expand", [this.nameOf(result), this.builder.sizes(shape)]) };
  }

  /** The name of a value in all its elements. */
  full(value: Value): string {
    return this.nameOf(this.whole(value));
  }

  /** The result of an operator that gives the node's full shape. */
  made(
    node: OpenNode,
    operator: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ) {
    return { from: this.builder.operation(operator, inputs, attributes), shape: node.shape };
  }

  /** The shape that these broadcast to. */
  broadcast(results: readonly Result[]): readonly Size[] {
    const rank = Math.max(...results.map(({ shape }) => shape.length));
    return Array.from({ length: rank }, (_, axis) => {
      const sizes = results.flatMap(({ shape }) => shape[axis - rank + shape.length] ?? []);
      return sizes.find((size) => size !== 1) ?? (sizes[0] as Size);
    });
  }
}

export function noOperator(node: OpenNode, why: string): UnsupportedError {
  return new UnsupportedError({
    subject: `op "${node.op}" in the network that is exported`,
    given: why,
    expected: "an op that ONNX's operators can make",
    remedy: "Write what it computes in other ops.",
  });
}
