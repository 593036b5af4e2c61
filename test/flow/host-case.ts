// Runs golden cases on the host, in f64 or rounded to f32: where backends compile programs, this evaluates their graphs.
import type { CaseErrors } from "../../src/engine/api.ts";
import type { CaseValues, GoldenCase } from "../../src/engine/cases/case.ts";
import { type Precision, runGraph } from "./evaluate.ts";

/** What the case's programs write, by state and run. */
export function valuesOfCase({ programs, inputs }: GoldenCase, precision: Precision): CaseValues {
  const values = new Map<string, Float64Array[]>();
  for (const { graph, runs = [new Map()], times = 1 } of programs) {
    for (const given of runs) {
      const states = new Map<string, ArrayLike<number>>([...inputs, ...given]);
      for (let i = 0; i < times; i++) runGraph(graph, states, precision);
      for (const { state } of graph.updates) {
        const found = Float64Array.from(states.get(state.name) as ArrayLike<number>);
        values.set(state.name, [...(values.get(state.name) ?? []), found]);
      }
    }
  }
  return values;
}

/** How far each quantity is off. */
export function errorsOnHost(golden: GoldenCase, precision: Precision): CaseErrors {
  return golden.errors(valuesOfCase(golden, precision));
}
