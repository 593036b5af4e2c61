/** Paths that are graphs: what a user's functions of time build, as plain data. */
import type { Node } from "../../graph/node.ts";
import { GRAPH } from "../../graph/options.ts";
import { openTrace } from "../../trace/open.ts";
import { damage, type Sealed, sealed, unsealed } from "../../trace/sealed.ts";
import { type Trace, type TraceInput, traceOf } from "../../trace/trace.ts";
import { graphLetters, isLetters } from "./graph-letters.ts";
import type { PathScheduler, PathValues } from "./path.ts";

/** Plain JSON: all that such a path is. */
export interface PathConfig {
  /** What it is called in messages. */
  readonly name: string;
  readonly priorDeviation: number;
  readonly dilationVanishes: boolean;
  /** From times [B, 1] to alpha, sigma and their rates, [B, 1] each. */
  readonly graph: Trace;
}

const column = [{ perRow: 1, plus: 0 }, 1] as const;
const inputs: readonly TraceInput[] = [{ name: "t", shape: column, dtype: "f32" }];
const outputs = (["alpha", "sigma", "alphaRate", "sigmaRate"] as const).map((name) => ({
  ...({ name, shape: column, dtype: "f32" } as const),
}));

/**
 * The graph of a path.
 *
 * @throws {@link UnsupportedError} when it is another for other numbers of times.
 */
export function pathConfig({ name, priorDeviation, dilationVanishes, at }: PathScheduler): Sealed<PathConfig> {
  const graph = traceOf(`path "${name}"`, inputs, (given) => {
    const { alpha, sigma, alphaRate, sigmaRate } = at(given.get("t") as Node);
    return { alpha, sigma, alphaRate, sigmaRate };
  });
  return sealed({ name, priorDeviation, dilationVanishes, graph });
}

/**
 * The path of such a graph.
 *
 * @throws {@link CheckpointError} when it is damaged: the message names the node.
 */
export function graphPath(given: unknown): PathScheduler {
  if (isLetters(given)) return graphLetters(given);
  const { subject, fields } = unsealed("path", given, ["priorDeviation", "dilationVanishes", "graph"]);
  const { priorDeviation, dilationVanishes, graph } = fields;
  if (typeof priorDeviation !== "number" || !(priorDeviation > 0 && priorDeviation < Infinity)) {
    throw damage(`${subject}, priorDeviation`, priorDeviation, "a positive number");
  }
  if (typeof dilationVanishes !== "boolean") {
    throw damage(`${subject}, dilationVanishes`, dilationVanishes, "true or false");
  }
  const trace = openTrace(graph, subject, { inputs, outputs, without: ["state", "random", "replaceRow"] });
  return {
    name: GRAPH,
    options: given as PathScheduler["options"],
    priorDeviation,
    dilationVanishes,
    at(t) {
      const values = trace.instantiate(t.shape[0] as number, new Map([["t", t]]));
      return Object.fromEntries(values) as unknown as PathValues;
    },
  };
}
