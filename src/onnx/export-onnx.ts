/** A model as an ONNX file. */
import type { LoadOptions, Model } from "../engine/api.ts";
import { checkLoadOptions } from "../engine/load-options.ts";
import { chosenParameters, type ParametersChoice, type ParametersName } from "../engine/parameters.ts";
import { ConfigError } from "../errors.ts";
import { partOption } from "../graph/options.ts";
import type { FlatVector, ModelRecord } from "../train/checkpoint.ts";
import { readCheckpoint } from "../train/read-checkpoint.ts";
import { VERSION } from "../version.ts";
import { sampleOf } from "./field.ts";
import { writeOnnx } from "./write-model.ts";

/** Options of {@link exportOnnx}; those of {@link LoadOptions} are for the bytes of a file. */
export interface ExportOnnxOptions extends LoadOptions {
  /** Use the best parameters of a run with validation. Default: where the model has them, and `ema` is left out. */
  readonly best?: boolean;
  /** Use the averaged parameters, or with false the last ones. Default: where the model has them. */
  readonly ema?: boolean;
}

/** See exportOnnx in src/index.ts. */
export async function exportOnnx(
  given: Model | Uint8Array | ArrayBuffer,
  options: ExportOnnxOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  checkLoadOptions<ExportOnnxOptions>("exportOnnx", options, ["best", "ema"]);
  const { best, ema, ...reading } = options;
  const record = await readCheckpoint(await bytesOf(given, reading), reading);
  const vectors = vectorsOf(record);
  const chosen = chosenParameters({ best, ema } satisfies ParametersChoice, new Set(vectors.keys()));
  const { network, path, standardization, shape, conditions } = record;
  const field = { network, standardization, shape, conditions, priorDeviation: path.priorDeviation };
  return writeOnnx(field, vectors.get(chosen) as FlatVector, metadataOf(record, chosen));
}

async function bytesOf(given: Model | Uint8Array | ArrayBuffer, reading: LoadOptions): Promise<Uint8Array> {
  if (given instanceof Uint8Array) return given;
  if (given instanceof ArrayBuffer) return new Uint8Array(given);
  const model = partOption("what exportOnnx is given", given, "checkpoint", "a model, or the bytes of its file");
  const [idle] = Object.keys(reading);
  if (idle === undefined) return model.checkpoint();
  throw new ConfigError({
    subject: `${idle} of exportOnnx`,
    given: "beside a model, which knows it",
    expected: "no such option there",
    remedy: "Leave it out: it is for the bytes of a file.",
  });
}

function vectorsOf({ parameters, average, best }: ModelRecord): Map<ParametersName, FlatVector> {
  return new Map<ParametersName, FlatVector>([
    ["parameters", parameters],
    ...(average ? [["ema", average] as const] : []),
    ...(best ? [["best", best.parameters] as const] : []),
  ]);
}

/** What programs that read the file may ask for. */
function metadataOf(record: ModelRecord, chosen: ParametersName): Record<string, string> {
  const { network, path, step, best, columns } = record;
  return {
    "divflow.version": VERSION,
    "divflow.network": network.kind,
    "divflow.path": JSON.stringify({ name: path.name, options: path.options }),
    "divflow.units": "data",
    "divflow.sample": JSON.stringify(sampleOf(record)),
    "divflow.parameters": chosen === "parameters" ? "last" : chosen,
    "divflow.step": String(chosen === "best" && best ? best.metrics.step : step),
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
