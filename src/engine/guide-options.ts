/** What `sample` is asked to guide by, copied at the call and in plain form; guide.ts, on demand, makes something of it. */
import { copiedNumbers } from "../data/numbers.ts";
import type { Guidance } from "../flow/guidance/define-guidance.ts";
import { GRAPH, isRecord, type NamedOptions, partOption } from "../graph/options.ts";
import type { Trace } from "../trace/trace.ts";
import type { Model, SampleOptions } from "./api.ts";

/** As it crosses to a worker. */
export interface PlainGuides {
  readonly guide?: {
    readonly by: NamedOptions;
    readonly strength?: number;
    /** The path's factor, of letters: see factorGraph. */
    readonly factors?: Trace;
  };
  readonly known?: SampleOptions["known"];
}

/** Undefined where there is nothing to guide by. */
export function plainGuides(
  { guide, known }: Pick<SampleOptions, "guide" | "known">,
  { shape }: Pick<Model, "shape">,
): PlainGuides | undefined {
  if (guide === undefined && known === undefined) return undefined;
  return {
    ...(guide === undefined ? {} : { guide: plainGuide(guide as never, shape) }),
    ...(isRecord(known) ? { known: copiedKnown(known) } : known === undefined ? {} : { known }),
  };
}

function plainGuide(guide: { readonly by?: unknown }, shape: Model["shape"]): never {
  const { by = guide, ...rest } = isRecord(guide) && "by" in guide ? guide : { by: guide };
  if (Object(by).name === GRAPH) return guide as never; // as it came from a page
  const own = partOption("guide of sample", by as Guidance, "forSamples", "defineGuidance({ name, build })");
  return { ...rest, by: own.forSamples(shape) } as never;
}

function copiedKnown({ values, mask, ...rest }: Record<string, unknown>): never {
  const copied = (name: string, given: unknown) =>
    copiedNumbers(`${name} of known`, Array.isArray(given) ? given.flat(Number.POSITIVE_INFINITY).map(Number) : given);
  return { ...rest, values: copied("values", values), mask: copied("mask", mask) } as never;
}
