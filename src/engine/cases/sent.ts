/**
 * Programs of cases as a page sends them to its worker: their graphs as plain data. So the worker's file, which is whole,
 * needs nothing of what cases are about: the networks, say.
 */
import type { NumericArray } from "../../backends/backend.ts";
import type { StateDeclaration } from "../../graph/graph.ts";
import type { Node } from "../../graph/node.ts";
import { openTrace } from "../../trace/open.ts";
import { type Trace, traceOf } from "../../trace/trace.ts";
import type { CaseProgram, GoldenCase } from "./case.ts";

interface SentProgram extends Pick<CaseProgram, "runs" | "times"> {
  readonly name: string;
  readonly trace: Trace;
  /** What the trace's outputs are written to, by their names. */
  readonly outputs: readonly StateDeclaration[];
}

export interface SentPrograms {
  readonly programs: readonly SentProgram[];
  readonly inputs: ReadonlyMap<string, NumericArray>;
}

export function sentPrograms({ programs, inputs }: GoldenCase): SentPrograms {
  return {
    inputs,
    programs: programs.map(({ graph: { name, updates }, ...rest }) => ({
      ...rest,
      name,
      trace: traceOf(name, [], () => Object.fromEntries(updates.map(({ state, value }) => [state.name, value]))),
      outputs: updates.map(({ state }) => state),
    })),
  };
}

/** @throws {@link CheckpointError} when what was sent is no graph. */
export function openProgram({ name, trace, outputs, ...rest }: SentProgram): CaseProgram {
  const values = openTrace(trace, name, { inputs: [], outputs }).instantiate(1, new Map());
  const updates = outputs.map((state) => ({ state, value: values.get(state.name) as Node }));
  return { ...rest, graph: { name, updates } };
}
