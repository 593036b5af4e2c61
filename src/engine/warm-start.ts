/** Parameters to begin at: those of another model of the same network. Imported on demand. */
import { ConfigError } from "../errors.ts";
import type { Network } from "../nn/network.ts";
import type { FlatVector, ModelRecord } from "../train/checkpoint.ts";
import { readCheckpoint } from "../train/read-checkpoint.ts";
import { chosenParameters, type ParametersChoice, type ParametersName } from "./parameters.ts";
import type { TrainerSettings } from "./trainer-settings.ts";

/**
 * The parameters in the bytes of a model's or trainer's file.
 *
 * @param settings - of the trainer that is to begin at them.
 * @throws {@link ConfigError} when they are of another network, or of a kind that the file does not hold.
 * @throws {@link DataError} when labels of the data are called otherwise in the file.
 * @throws {@link CheckpointError} when the file is damaged.
 */
export async function initialVector(
  bytes: Uint8Array,
  settings: Pick<TrainerSettings, "network" | "data" | "telling">,
  choice: ParametersChoice,
): Promise<FlatVector> {
  const { network, data, telling } = settings;
  const record = await recordIn(bytes, network);
  const [given, expected] = [record.network, network].map(({ kind, config }) => `${kind} ${JSON.stringify(config)}`);
  if (given !== expected) {
    throw new ConfigError({
      subject: "initial of createTrainer",
      given,
      expected: `the network to be trained, ${expected}`,
      remedy: "Give the trainer the network of that model, or leave initial out.",
    });
  }
  telling?.expectSameNames("the data", data, record.conditions, "the model to begin at");
  const kept = new Map<ParametersName, FlatVector>([["parameters", record.parameters]]);
  if (record.average) kept.set("ema", record.average);
  if (record.best) kept.set("best", record.best.parameters);
  return kept.get(chosenParameters(choice, new Set(kept.keys()))) as FlatVector;
}

/** Weights alone, such as PyTorch's, are taken to be of the trainer's own activation. */
async function recordIn(bytes: Uint8Array, network: Network): Promise<ModelRecord> {
  const { activation } = network.config as { readonly activation?: string };
  try {
    return await readCheckpoint(bytes, { source: "initial", known: network });
  } catch (error) {
    if (activation === undefined || !(error instanceof ConfigError)) throw error;
    return readCheckpoint(bytes, { source: "initial", activation });
  }
}
