/** Checks between a tensor file and the model that it should fill. */
import { CheckpointError } from "../errors.ts";
import { floatDTypes, type StoredTensor, type TensorDType, type TensorFile } from "./safetensors.ts";

export interface ExpectedTensor {
  readonly shape: readonly number[];
  /** Dtypes that will do; default: the floating-point ones. */
  readonly dtypes?: readonly TensorDType[];
}

/**
 * Passes when the file holds exactly the expected tensors, each of its shape and of a dtype that will do.
 *
 * @throws {@link CheckpointError} that names what is missing, what is too much, or the first tensor that does not fit.
 */
export function expectTensors(
  file: TensorFile,
  expected: ReadonlyMap<string, ExpectedTensor>,
  source = "safetensors file",
): void {
  const missing = [...expected.keys()].filter((name) => !file.tensors.has(name));
  const extra = [...file.tensors.keys()].filter((name) => !expected.has(name));
  if (missing.length > 0 || extra.length > 0) {
    const parts = [missing.length > 0 && `without ${list(missing)}`, extra.length > 0 && `with unknown ${list(extra)}`];
    throw new CheckpointError({
      subject: `tensors of ${source}`,
      given: parts.filter(Boolean).join(", "),
      expected: `the ${expected.size} tensors of this model`,
      remedy: "The file belongs to another network or another version; build the network it was saved from.",
    });
  }
  for (const [name, { shape, dtypes = floatDTypes }] of expected) {
    const tensor = file.tensors.get(name) as StoredTensor;
    if (tensor.shape.length !== shape.length || tensor.shape.some((size, axis) => size !== shape[axis])) {
      throw new CheckpointError({
        subject: `${source}, tensor "${name}", shape`,
        given: tensor.shape,
        expected: `[${shape.join(", ")}]`,
        remedy: "The file belongs to a network of other sizes; build the network it was saved from.",
      });
    }
    if (!dtypes.includes(tensor.dtype)) {
      throw new CheckpointError({
        subject: `${source}, tensor "${name}", dtype`,
        given: tensor.dtype,
        expected: dtypes.join(" or "),
        remedy: "Save the tensor in one of these dtypes.",
      });
    }
  }
}

/**
 * Passes when every value of the tensor is finite.
 *
 * @throws {@link CheckpointError} that names the first value that is not.
 */
export function expectFinite(name: string, { data }: StoredTensor, source = "safetensors file"): void {
  if (data instanceof BigInt64Array) return;
  const at = data.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new CheckpointError({
    subject: `${source}, tensor "${name}", element ${at}`,
    given: data[at],
    expected: "a finite number",
    remedy: "The model had diverged when it was saved, or the file is damaged; use an earlier one.",
  });
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
