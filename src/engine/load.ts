/** Models from files. */
import type { FlatVector, ModelRecord } from "../train/checkpoint.ts";
import { readCheckpoint } from "../train/read-checkpoint.ts";
import type { LoadOptions } from "./api.ts";
import { checkLoadOptions } from "./load-options.ts";
import { Lock } from "./lock.ts";
import { LocalModel } from "./model.ts";
import type { ParametersName } from "./parameters.ts";
import type { Live, LocalRuntime } from "./runtime.ts";
import { startingFrom } from "./start.ts";
import { StateStore } from "./state-store.ts";
import { tellingOf } from "./told.ts";

/** The model in the bytes of a safetensors file, with device memory of its own. */
export async function loadModel(
  runtime: LocalRuntime,
  bytes: Uint8Array,
  options: LoadOptions = {},
): Promise<LocalModel> {
  checkLoadOptions("load", options);
  const record = { ...(await readCheckpoint(bytes, options)), training: undefined };
  const parameters = new LoadedParameters(record);
  const model = new LocalModel(runtime, {
    network: record.network,
    path: record.path,
    standardization: record.standardization,
    columns: record.columns,
    shape: record.shape ?? record.network.sample ?? [record.network.dimension],
    facts: record.conditions ?? {},
    starting: record.start || record.coupling ? await startingFrom(record) : undefined,
    telling: await tellingOf(record.network),
    kept: () => parameters.kept,
    lock: new Lock(),
    store: async (live) => parameters.on(live),
    record: async () => record,
    step: () => record.best?.metrics.step ?? record.step,
    dispose: () => parameters.dispose(),
  });
  try {
    await runtime.use(async (live) => parameters.on(live)); // a device without room says so now
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** The parameters of a record on the device in use: the host keeps them, so that another device can have them. */
class LoadedParameters {
  readonly #record: ModelRecord;
  #held: { readonly live: Live; readonly store: StateStore } | undefined;

  constructor(record: ModelRecord) {
    this.#record = record;
  }

  get kept(): ReadonlySet<ParametersName> {
    return new Set(this.#vectors().keys());
  }

  #vectors(): Map<ParametersName, FlatVector> {
    const { parameters, average, best } = this.#record;
    return new Map<ParametersName, FlatVector>([
      ["parameters", parameters],
      ...(average ? [["ema", average] as const] : []),
      ...(best ? [["best", best.parameters] as const] : []),
    ]);
  }

  on(live: Live): StateStore {
    if (this.#held?.live === live) return this.#held.store;
    this.#held = undefined; // it went with its device
    const store = new StateStore(live.backend);
    try {
      for (const [name, values] of this.#vectors()) {
        store.declare([{ name, shape: [values.length], dtype: "f32" }]);
        store.write(name, values);
      }
    } catch (error) {
      store.dispose();
      throw error;
    }
    this.#held = { live, store };
    return store;
  }

  dispose(): void {
    this.#held?.store.dispose();
    this.#held = undefined;
  }
}
