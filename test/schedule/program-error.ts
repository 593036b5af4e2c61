/** How far a program's results are from the f64 values of its graph. */
import type { Graph } from "../../src/graph/graph.ts";
import type { HostTensor } from "../../src/graph/op.ts";
import { compile } from "../../src/schedule/compile.ts";
import { flowUnit } from "../../src/schedule/flow-unit.ts";
import type { PlanLimits, Program } from "../../src/schedule/program.ts";
import { valuesOf } from "./graphs.ts";
import { interpret } from "./interpret.ts";

/**
 * The largest difference between what the program and the graph write to state, relative to the largest number of each
 * state but at least to `scale`; infinite where one of them is NaN and the other is not. States begin as f32 numbers.
 */
export function programError(
  graph: Graph,
  given: ReadonlyMap<string, HostTensor>,
  limits: PlanLimits,
  scale = 1e-6,
  program: Program = compile(graph, limits, flowUnit),
): number {
  const state = new Map([...given].map(([name, { shape, data }]) => [name, { shape, data: data.map(Math.fround) }]));
  const expected = valuesOf(graph, state);
  const found = interpret(program, state, limits);
  let largest = 0;
  for (const [name, { data }] of found) {
    const wanted = (expected.get(name) ?? state.get(name))?.data as Float64Array; // no update: it stays as it was
    if (wanted.length !== data.length) return Number.POSITIVE_INFINITY;
    const size = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), scale);
    data.forEach((value, i) => {
      const other = wanted[i] as number;
      if (Object.is(value, other)) return;
      const difference = Math.abs(value - other) / size;
      largest = Math.max(largest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
    });
  }
  return largest;
}
