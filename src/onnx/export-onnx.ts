/** A model as an ONNX file. */
import type { Model } from "../engine/api.ts";
import { type GivenModelOptions, givenModel } from "../engine/given-model.ts";
import type { ParametersName } from "../engine/parameters.ts";
import type { ModelRecord } from "../train/checkpoint.ts";
import { VERSION } from "../version.ts";
import { sampleOf } from "./field.ts";
import { writeOnnx } from "./write-model.ts";

/** Options of {@link exportOnnx}; those of {@link LoadOptions} are for the bytes of a file. */
export interface ExportOnnxOptions extends GivenModelOptions {}

/** See exportOnnx in src/index.ts. */
export async function exportOnnx(
  given: Model | Uint8Array | ArrayBuffer,
  options: ExportOnnxOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { record, chosen, parameters, step } = await givenModel("exportOnnx", given, options);
  const { network, path, standardization, shape, conditions } = record;
  const field = { network, standardization, shape, conditions, priorDeviation: path.priorDeviation };
  return writeOnnx(field, parameters, metadataOf(record, chosen, step));
}

/** What programs that read the file may ask for. */
function metadataOf(record: ModelRecord, chosen: ParametersName, step: number): Record<string, string> {
  const { network, path, columns } = record;
  return {
    "divflow.version": VERSION,
    "divflow.network": network.kind,
    "divflow.path": JSON.stringify({ name: path.name, options: path.options }),
    "divflow.units": "data",
    "divflow.sample": JSON.stringify(sampleOf(record)),
    "divflow.parameters": chosen === "parameters" ? "last" : chosen,
    "divflow.step": String(step),
    ...(network.conditions ? { "divflow.conditions": JSON.stringify(conditionsOf(record)) } : {}),
    ...(columns ? { "divflow.columns": JSON.stringify(columns) } : {}),
  };
}

/** What the network is told, with names of labels; units are inside. */
function conditionsOf({ network, conditions }: ModelRecord): Record<string, unknown> {
  const declared = Object.entries(network.conditions ?? {});
  return Object.fromEntries(
    declared.map(([name, declaration]) => {
      const names = conditions?.[name]?.names;
      return [name, { ...declaration, ...(names ? { names } : {}) }];
    }),
  );
}
