/** Parameters between our flat vector and PyTorch's tensors: names are shared, linear weights lie transposed there. */

import { CheckpointError } from "../errors.ts";
import { type Shape, sizeOf } from "../graph/node.ts";
import type { ParameterDeclaration, ParameterLayout } from "./network.ts";

export interface TorchTensor {
  readonly shape: Shape;
  /** Row-major. */
  readonly values: Float32Array;
}

/** The shape PyTorch gives this parameter. */
export function torchShape({ shape, torchLayout }: ParameterDeclaration): Shape {
  return torchLayout === "linear-weight" ? [...shape].reverse() : shape;
}

/** PyTorch's tensors, by name, of the flat vector. */
export function toTorch(flat: Float32Array, { entries }: ParameterLayout): Map<string, TorchTensor> {
  return new Map(
    entries.map(({ declaration, offset }) => {
      const values = flat.slice(offset, offset + sizeOf(declaration.shape));
      const shape = torchShape(declaration);
      return [
        declaration.name,
        { shape, values: isTransposed(declaration) ? transposed(values, declaration.shape) : values },
      ];
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
    flat.set(isTransposed(declaration) ? transposed(tensor.values, expected) : tensor.values, offset);
  }
  return flat;
}

function isTransposed({ torchLayout }: ParameterDeclaration): boolean {
  return torchLayout === "linear-weight";
}

/** The transpose of a row-major matrix of this shape. */
function transposed(values: Float32Array, [rows = 1, columns = 1]: Shape): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column] as number;
    }
  }
  return result;
}

function refuse(subject: string, given: unknown, expected: string): never {
  throw new CheckpointError({ subject, given, expected, remedy: "Give the weights of the network that config names." });
}
