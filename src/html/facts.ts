/** What a page says of the model that it holds, and builds its controls from before the engine is there. */
import type { ModelCondition } from "../engine/model-api.ts";
import { conditionsOf } from "../engine/told.ts";
import { sizeOf } from "../graph/node.ts";
import type { ModelRecord } from "../train/checkpoint.ts";
import { VERSION } from "../version.ts";

export interface PageFacts {
  readonly title: string;
  /** What a sample is, such as [28, 28, 1]; [D] where data were points. */
  readonly shape: readonly number[];
  /** Names of the coordinates, where the data had some. */
  readonly columns: readonly string[] | undefined;
  readonly conditions: Readonly<Record<string, ModelCondition>>;
  /** Whether it samples in one step, by the solver "flow-map". */
  readonly isFlowMap: boolean;
  readonly network: string;
  readonly path: string;
  readonly parameters: number;
  readonly step: number;
  /** Of the library that wrote the page, and runs in it. */
  readonly version: string;
}

export function factsOf(record: ModelRecord, title: string): PageFacts {
  const { network, path, columns, conditions, step } = record;
  return {
    title,
    shape: record.shape ?? network.sample ?? [network.dimension],
    columns,
    conditions: conditionsOf(network, conditions ?? {}),
    isFlowMap: network.average !== undefined,
    network: network.kind,
    path: path.name,
    parameters: network.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    step,
    version: VERSION,
  };
}
