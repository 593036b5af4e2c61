import { ConfigError, DataError } from "../errors.ts";
import { isRecord } from "../graph/options.ts";
import { writeNpy } from "./npy.ts";
import { writeZip } from "./write-zip.ts";

/** Values and their shape, whose sizes have the number of values as product. */
export interface ArrayToWrite {
  readonly values: Float32Array | Float64Array;
  readonly shape: readonly number[];
}

/**
 * A .npz file, not compressed, of these arrays by name: numpy.load(path)["samples"].
 *
 * @throws {@link DataError} when a shape and its number of values do not match.
 * @throws {@link LimitError} when the file would have 4 GiB or more.
 * @example
 * const bytes = writeNpz({ samples: { values, shape: [count, dimension] } });
 */
export function writeNpz(arrays: Readonly<Record<string, ArrayToWrite>>): Uint8Array {
  const wrong = isRecord(arrays) ? Object.values(arrays).findIndex((array) => !isRecord(array)) : 0;
  if (!isRecord(arrays) || ArrayBuffer.isView(arrays) || wrong >= 0) {
    throw new DataError({
      subject: "arrays to write as .npz",
      given: isRecord(arrays)
        ? `"${Object.keys(arrays)[wrong] ?? 0}": no array with its shape`
        : (arrays ?? String(arrays)),
      expected: "an object of arrays by name, each { values, shape }",
      remedy: "Give such as { samples: { values, shape: [count, dimension] } }.",
    });
  }
  const files = Object.entries(arrays).map(([name, { values, shape }]): [string, Uint8Array] => {
    if (name === "" || /[\\/]/.test(name)) {
      const facts = { given: name, expected: "a name without slashes", remedy: "Name it as a variable, such as x." };
      throw new ConfigError({ subject: "name of an array to write as .npz", ...facts });
    }
    return [`${name}.npy`, writeNpy(values, shape)];
  });
  return writeZip(new Map(files));
}
