// Runs golden cases on the host, in f64 or rounded to f32: where backends compile programs, this evaluates their graphs.
import type { CaseErrors } from "../../src/engine/api.ts";
import type { CaseValues, GoldenCase } from "../../src/engine/cases/case.ts";
import { type Precision, valuesOf } from "./evaluate.ts";

/** What the case's programs write, by state and run. */
export function valuesOfCase({ programs, inputs }: GoldenCase, precision: Precision): CaseValues {
  const values = new Map<string, Float64Array[]>();
  for (const { graph, runs = [new Map()] } of programs) {
    for (const states of runs) {
      const results = valuesOf(
        graph.updates.map(({ value }) => value),
        new Map<string, ArrayLike<number>>([...inputs, ...states]),
        precision,
      );
      graph.updates.forEach(({ state }, i) => {
        values.set(state.name, [...(values.get(state.name) ?? []), Float64Array.from(results[i])]);
      });
    }
  }
  return values;
}

/** How far each quantity is off. */
export function errorsOnHost(golden: GoldenCase, precision: Precision): CaseErrors {
  return golden.errors(valuesOfCase(golden, precision));
}
