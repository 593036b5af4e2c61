/** Weights of losses by time that are graphs: what a user's function builds, as plain data. */
import type { Node } from "../../graph/node.ts";
import { GRAPH } from "../../graph/options.ts";
import { openTrace } from "../../trace/open.ts";
import { sealed, unsealed } from "../../trace/sealed.ts";
import { type TraceInput, traceOf } from "../../trace/trace.ts";
import type { TimeWeight } from "./weighted.ts";

const column = [{ perRow: 1, plus: 0 }, 1] as const;
const inputs: readonly TraceInput[] = [{ name: "t", shape: column, dtype: "f32" }];
const outputs: readonly TraceInput[] = [{ name: "weight", shape: column, dtype: "f32" }];

/** The graph of a weight: plain JSON. @throws {@link UnsupportedError} when it is another for other numbers of times. */
export function weightConfig({ name, at }: Pick<TimeWeight, "name" | "at">) {
  const graph = traceOf(`weight "${name}"`, inputs, (given) => ({ weight: at(given.get("t") as Node) }));
  return sealed({ name, graph });
}

/** The weight of such a graph. @throws {@link CheckpointError} when it is damaged: the message names the node. */
export function graphWeight(given: unknown): TimeWeight {
  const { subject, fields } = unsealed("weight", given, ["graph"]);
  const trace = openTrace(fields["graph"], subject, { inputs, outputs, without: ["state", "random", "replaceRow"] });
  return {
    name: GRAPH,
    options: given as TimeWeight["options"],
    at: (t) => trace.instantiate(t.shape[0] as number, new Map([["t", t]])).get("weight") as Node,
  };
}
