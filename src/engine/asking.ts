/** How functions of entries beside `divflow` ask a model: the question goes to where its engine is. */

import { optionsObject, partOption } from "../graph/options.ts";
import type { Model, SolveOptions } from "./api.ts";
import type { Answers, AskedMore } from "./more-asked.ts";

type Points = Float32Array | Float64Array;

/** A model as the engine has it, or as its page has it where the engine is in a worker. */
interface Asked extends Model {
  more?(points: Points | undefined, options: AskedMore): Promise<unknown>;
  ask?(what: "more", options: AskedMore, given: { readonly points?: Points } | undefined): Promise<unknown>;
}

/** @throws {@link ConfigError} where it is no model. */
export async function ask<Of extends AskedMore["of"]>(
  subject: string,
  model: Model,
  points: Points | undefined,
  options: AskedMore & { readonly of: Of },
): Promise<Answers[Of]> {
  const asked: Asked = partOption(`model of ${subject}`, model, "logDensity", "trainer.model");
  return (await (asked.more?.(points, options) ?? asked.ask?.("more", options, points && { points }))) as Answers[Of];
}

const solveOptionNames = [
  ...(["solver", "conditions", "guidance", "seed", "signal", "best", "ema", "onProgress"] as const),
] satisfies readonly (keyof SolveOptions)[];

/** Options of a solve and these, or a sentence. */
export function solveOptionsAnd<Options extends object>(
  of: string,
  options: Options,
  names: readonly (keyof Options & string)[],
): Options {
  return optionsObject(`options of ${of}`, options, [...solveOptionNames, ...names] as never);
}
