// Files in ONNX Runtime, on WebAssembly in this process.
import { env, InferenceSession, Tensor } from "onnxruntime-web";
import { type Shape, sizeOf } from "../../src/graph/node.ts";

env.wasm.numThreads = 1; // the machine's cores are for the tests beside this one

/** A value that goes in. */
export interface Given {
  readonly type: "float" | "int64";
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
}

/** What a file computes: all its outputs, by name. */
export async function runOnnx(
  file: Uint8Array,
  inputs: Readonly<Record<string, Given>>,
): Promise<Readonly<Record<string, { readonly shape: Shape; readonly data: readonly number[] }>>> {
  const [outputs] = await runBatches(file, [inputs]);
  return outputs as typeof outputs & object;
}

/** The same for several sets of inputs, one after another in one session. */
export async function runBatches(file: Uint8Array, batches: readonly Readonly<Record<string, Given>>[]) {
  // As it stands: what the runtime rewrites beforehand may hide an operator that it would refuse.
  const session = await InferenceSession.create(file, {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "basic",
  });
  try {
    const results = [];
    for (const inputs of batches) {
      const given = Object.entries(inputs).map(([name, value]) => [name, tensorOf(value)] as const);
      const outputs = await session.run(Object.fromEntries(given));
      results.push(
        Object.fromEntries(
          Object.entries(outputs).map(([name, { dims, data }]) => [
            name,
            { shape: dims, data: Array.from(data, Number) },
          ]),
        ),
      );
    }
    return results;
  } finally {
    await session.release();
  }
}

function tensorOf({ type, shape, data }: Given): Tensor {
  if (data.length !== sizeOf(shape)) throw new RangeError(`${data.length} numbers for shape [${shape.join(", ")}]`);
  return type === "float"
    ? new Tensor("float32", Float32Array.from(data), shape)
    : new Tensor("int64", BigInt64Array.from(Array.from(data, BigInt)), shape);
}
