/** What is written in another form: a model at hand, or the bytes of its file, and which of its parameters. */

import { ConfigError } from "../errors.ts";
import { partOption } from "../graph/options.ts";
import type { FlatVector, ModelRecord } from "../train/checkpoint.ts";
import { readCheckpoint } from "../train/read-checkpoint.ts";
import type { LoadOptions, Model } from "./api.ts";
import { checkLoadOptions } from "./load-options.ts";
import { chosenParameters, type ParametersChoice, type ParametersName } from "./parameters.ts";

/** Options of what writes models; those of {@link LoadOptions} are for the bytes of a file. */
export interface GivenModelOptions extends LoadOptions {
  /** Use the best parameters of a run with validation. Default: where the model has them, and `ema` is left out. */
  readonly best?: boolean;
  /** Use the averaged parameters, or with false the last ones. Default: where the model has them. */
  readonly ema?: boolean;
}

export interface GivenModel {
  readonly record: ModelRecord;
  readonly chosen: ParametersName;
  readonly parameters: FlatVector;
  /** Training steps behind these parameters. */
  readonly step: number;
}

/**
 * @param of - the call, for messages.
 * @param others - options that it takes beside these.
 * @throws {@link CheckpointError} or {@link ConfigError} as `load` does.
 */
export async function givenModel<Options extends GivenModelOptions>(
  of: string,
  given: Model | Uint8Array | ArrayBuffer,
  options: Options,
  others: readonly (keyof Options & string)[] = [],
): Promise<GivenModel> {
  checkLoadOptions<Options>(of, options, ["best", "ema", ...others]);
  const { best, ema, ...rest } = options;
  const reading: LoadOptions = Object.fromEntries(
    Object.entries(rest).filter(([name]) => !others.some((one) => one === name)),
  );
  const record = await readCheckpoint(await bytesOf(of, given, reading), reading);
  const vectors = vectorsOf(record);
  const chosen = chosenParameters({ best, ema } satisfies ParametersChoice, new Set(vectors.keys()));
  const step = chosen === "best" && record.best ? record.best.metrics.step : record.step;
  return { record, chosen, parameters: vectors.get(chosen) as FlatVector, step };
}

async function bytesOf(of: string, given: Model | Uint8Array | ArrayBuffer, reading: LoadOptions): Promise<Uint8Array> {
  if (given instanceof Uint8Array) return given;
  if (given instanceof ArrayBuffer) return new Uint8Array(given);
  const model = partOption(`what ${of} is given`, given, "checkpoint", "a model, or the bytes of its file");
  const [idle] = Object.keys(reading);
  if (idle === undefined) return model.checkpoint();
  throw new ConfigError({
    subject: `${idle} of ${of}`,
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
