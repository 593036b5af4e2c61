/** Fields of model files, held constant: teachers of other networks. */
import { onDemand } from "../backends/on-demand.ts";
import type { FrozenField } from "../flow/losses/mean-flow.ts";
import { sizeOf } from "../graph/node.ts";
import { optionsObject } from "../graph/options.ts";
import { parameterLayout } from "../nn/network.ts";

/**
 * The velocity field of a model file, for `meanFlow({ teacher })`: its best parameters, else the averaged ones, else those
 * that were trained.
 *
 * @param bytes - what `model.checkpoint()` or `trainer.checkpoint()` gave, or a file of it.
 * @param source - what messages call the file.
 * @throws {@link CheckpointError} when the file is damaged.
 * @example
 * const teacher = await frozenField(await field.checkpoint());
 * const loss = meanFlow({ teacher });
 */
export async function frozenField(bytes: Uint8Array, options: { readonly source?: string } = {}): Promise<FrozenField> {
  const { source = "file of the teacher" } = optionsObject("options of frozenField", options, ["source"]);
  const { readCheckpoint } = await onDemand(import("./read-checkpoint.ts"));
  const { network, path, best, average, parameters } = await readCheckpoint(bytes, { source });
  const flat = best?.parameters ?? average ?? parameters;
  const values = parameterLayout(network).entries.map(({ declaration: { name, shape }, offset }) => {
    return [name, flat.slice(offset, offset + sizeOf(shape))] as const;
  });
  return { network, path, parameters: new Map(values) };
}
