/** The option `initial` of a trainer: a model or a file, as the bytes that both come to. */
import { copiedBytes } from "../data/numbers.ts";
import { isRecord, optionsObject } from "../graph/options.ts";
import type { Model, TrainerOptions } from "./api.ts";
import type { ParametersChoice } from "./parameters.ts";

export interface InitialBytes {
  /** A copy: of a file now, of a model as soon as it is at rest. */
  readonly bytes: Promise<Uint8Array>;
  readonly choice: ParametersChoice;
}

/** Bytes are rejected with a {@link DataError} when it is neither. */
export function initialBytes(initial: NonNullable<TrainerOptions["initial"]>): InitialBytes {
  const given: unknown = initial;
  if (isRecord(given) && "from" in given) {
    const { from, best, ema } = optionsObject("initial of createTrainer", given, ["from", "best", "ema"]);
    return { bytes: bytesOf(from), choice: { best, ema } as ParametersChoice };
  }
  return { bytes: bytesOf(given), choice: {} };
}

async function bytesOf(given: unknown): Promise<Uint8Array> {
  const isModel = typeof (given as Partial<Model> | null)?.checkpoint === "function";
  return isModel ? (given as Model).checkpoint() : copiedBytes("initial of createTrainer", given);
}
