import type { Standardization } from "../data/standardize.ts";
import type { PathScheduler } from "../flow/paths/path.ts";
import type { Shape } from "../graph/node.ts";
import type { Network } from "../nn/network.ts";
import type { ConditionFacts, ModelRecord } from "../train/checkpoint.ts";
import type { Lock } from "./lock.ts";
import type { ParametersName } from "./parameters.ts";
import type { Live } from "./runtime.ts";
import type { Starting } from "./start.ts";
import type { StateStore } from "./state-store.ts";
import type { Telling } from "./told.ts";

/** Where a model's parameters are: in a trainer, or in a store of its own. */
export interface ModelSource {
  readonly network: Network;
  readonly path: PathScheduler;
  readonly standardization: Standardization | undefined;
  readonly columns: readonly string[] | undefined;
  /** What a sample is. */
  readonly shape: Shape;
  readonly facts: ConditionFacts;
  /** There where its flow begins at other points than noise. */
  readonly starting?: Starting | undefined;
  /** There for networks that are told something. */
  readonly telling: Telling | undefined;
  /** What parameters it has beside the last ones, now. */
  kept(): ReadonlySet<ParametersName>;
  /** Held during a call: parameters do not change on the way. */
  readonly lock: Lock;
  /** Holds "parameters" and those kept beside them. */
  store(live: Live, signal: AbortSignal | undefined): Promise<StateStore>;
  record(): Promise<ModelRecord>;
  step(): number;
  dispose(): void;
}
