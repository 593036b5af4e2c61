/** What a golden case is, of whatever kind: programs, what they read, and how far what they wrote is off. */
import type { NumericArray } from "../../backends/backend.ts";
import { DataError, DivflowError, UnsupportedError } from "../../errors.ts";
import type { Graph, Update } from "../../graph/graph.ts";
import { type Node, sizeOf } from "../../graph/node.ts";
import { reshape } from "../../ops/shape.ts";
import type { CaseErrors } from "../api.ts";
import type { Fields } from "./case-fields.ts";

export interface CaseProgram {
  readonly graph: Graph;
  /** States that differ from run to run, a run for each entry; left out: one run. */
  readonly runs?: readonly ReadonlyMap<string, NumericArray>[];
  /** How often each run repeats the graph, which reads what it wrote; left out: once. */
  readonly times?: number;
}

/** By state, what each run of the program that writes it left there. */
export type CaseValues = ReadonlyMap<string, readonly NumericArray[]>;

export interface GoldenCase {
  /** No state is written by two of them. */
  readonly programs: readonly CaseProgram[];
  /** States that they read, by name. */
  readonly inputs: ReadonlyMap<string, NumericArray>;
  /** For each quantity, how far the values are from what the file expects: see {@link CaseErrors}. */
  errors(values: CaseValues): CaseErrors;
}

/**
 * The largest |difference| divided by `scale`; by the largest |expected| where that is left out, by 1 where it is 0. NaN
 * where a value is NaN, infinite where one is missing.
 */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>, scale?: number): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let own = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const value = expected[i] as number;
    own = Math.max(own, Math.abs(value));
    largest = Math.max(largest, Math.abs((actual[i] as number) - value)); // NaN stays
  }
  return largest / (scale ?? (own || 1));
}

/** Writes a quantity, flat, to the state of its name. */
export function outputOf(name: string, node: Node): Update {
  const shape = [sizeOf(node.shape)];
  return { state: { name, shape, dtype: "f32" }, value: reshape(node, shape) };
}

/** What the file wants some of its quantities divided by. */
export function scalesOf(fields: Fields, quantities: readonly string[]): Map<string, number> {
  if (!fields.has("scales")) return new Map();
  const scales = fields.object("scales");
  scales.only(quantities);
  return new Map(scales.names().map((name) => [name, scales.positive(name)]));
}

/** What `make` makes; what it finds wrong in the shapes and options of a file is said of that file. */
export function saidOf<Made>(file: string, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof DivflowError) || error instanceof DataError || error instanceof UnsupportedError)
      throw error;
    throw new DataError({ ...error.facts, subject: `${file}: ${error.facts.subject}` }, { cause: error });
  }
}
