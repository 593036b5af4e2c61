/** Parameters between our flat vector and PyTorch's tensors: names are shared, linear weights lie transposed there. */

import { CheckpointError } from "../errors.ts";
import { type Shape, sizeOf } from "../graph/node.ts";
import { stridesOf, walk } from "../ops/strides.ts";
import type { ParameterDeclaration, ParameterLayout } from "./network.ts";

export interface TorchTensor {
  readonly shape: Shape;
  /** Row-major. */
  readonly values: Float32Array;
}

/** This parameter's values as PyTorch lays them out. */
export function inTorchLayout<Values extends Float32Array | Float64Array>(
  values: Values,
  { shape, torchLayout }: ParameterDeclaration,
): Values {
  return torchLayout === "as-is" ? values : permuted(values, shape, permutationOf(shape));
}

/** The shape PyTorch gives this parameter. */
export function torchShape({ shape, torchLayout }: ParameterDeclaration): Shape {
  return torchLayout === "as-is" ? shape : permutationOf(shape).map((axis) => shape[axis] as number);
}

/** Axis k of PyTorch's weight is this axis of ours: [...taps, inputs, outputs] becomes [outputs, inputs, ...taps]. */
function permutationOf({ length }: Shape): number[] {
  return [length - 1, length - 2, ...Array.from({ length: length - 2 }, (_, tap) => tap)];
}

/** PyTorch's tensors, by name, of the flat vector. */
export function toTorch(flat: Float32Array, { entries }: ParameterLayout): Map<string, TorchTensor> {
  return new Map(
    entries.map(({ declaration, offset }) => {
      const values = flat.slice(offset, offset + sizeOf(declaration.shape));
      return [declaration.name, { shape: torchShape(declaration), values: inTorchLayout(values, declaration) }];
    }),
  );
}

/**
 * The flat vector of PyTorch's tensors.
 *
 * @throws {@link CheckpointError} when a tensor is missing, one too many is there, or a shape differs.
 */
export function fromTorch(
  tensors: ReadonlyMap<string, TorchTensor>,
  { total, entries }: ParameterLayout,
): Float32Array {
  const names = new Set(entries.map(({ declaration }) => declaration.name));
  for (const name of tensors.keys()) {
    if (!names.has(name))
      refuse(`tensor "${name}"`, "a tensor the network does not have", `only ${[...names].join(", ")}`);
  }
  const flat = new Float32Array(total);
  for (const { declaration, offset } of entries) {
    const tensor = tensors.get(declaration.name);
    const expected = torchShape(declaration);
    const shape = `shape [${expected.join(", ")}]`;
    if (!tensor) return refuse(`tensor "${declaration.name}"`, "nothing", shape);
    if (tensor.shape.join() !== expected.join()) refuse(`tensor "${declaration.name}"`, tensor.shape, shape);
    if (tensor.values.length !== sizeOf(expected)) {
      refuse(`tensor "${declaration.name}"`, `${tensor.values.length} numbers`, `${sizeOf(expected)} numbers`);
    }
    const permutation = permutationOf(expected);
    const back = permutation.map((_, axis) => permutation.indexOf(axis));
    const isOurs = declaration.torchLayout === "as-is";
    flat.set(isOurs ? tensor.values : permuted(tensor.values, expected, back), offset);
  }
  return flat;
}

/** A row-major tensor of this shape whose axis k is axis permutation[k] of the one given. */
function permuted<Values extends Float32Array | Float64Array>(
  values: Values,
  shape: Shape,
  permutation: readonly number[],
): Values {
  const strides = stridesOf(shape);
  const result = values.slice() as Values;
  walk(
    permutation.map((axis) => shape[axis] as number),
    permutation.map((axis) => strides[axis] as number),
    (to, from) => {
      result[to] = values[from] as number;
    },
  );
  return result;
}

function refuse(subject: string, given: unknown, expected: string): never {
  throw new CheckpointError({ subject, given, expected, remedy: "Give the weights of the network that config names." });
}
