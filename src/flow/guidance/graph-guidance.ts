/** Guidance that is a graph: what a user's function says of samples of one shape, as plain data. */
import { type Node, type Shape, sizeOf } from "../../graph/node.ts";
import { choiceOption, f32Option, GRAPH, type NamedOptions } from "../../graph/options.ts";
import { reshape } from "../../ops/shape.ts";
import { openTrace } from "../../trace/open.ts";
import { damage, type Sealed, sealed, unsealed } from "../../trace/sealed.ts";
import { type Trace, type TraceInput, traceOf } from "../../trace/trace.ts";
import type { EventOptions, SampleFunction } from "./by-function.ts";

export const guidanceKinds = ["event", "log-weight"] as const;
/** What the number of a sample is: C of the event C > 0, or the logarithm of what densities are multiplied by. */
export type GuidanceKind = (typeof guidanceKinds)[number];

/** Plain JSON: all that such a guidance is. */
export interface GuidanceConfig extends Required<EventOptions> {
  /** What it is called in messages. */
  readonly name: string;
  readonly kind: GuidanceKind;
  readonly graph: Trace;
}

/** A guidance, opened. */
export interface OpenGuidance extends Required<EventOptions> {
  readonly name: string;
  readonly kind: GuidanceKind;
  /** Of samples [B, D], in data units. */
  readonly value: SampleFunction;
}

const batch = { perRow: 1, plus: 0 };
const samplesOf = (shape: Shape): TraceInput => ({ name: "samples", shape: [batch, ...shape], dtype: "f32" });
const VALUE: TraceInput = { name: "value", shape: [batch, 1], dtype: "f32" };

/**
 * The graph of a guidance of samples of this shape.
 *
 * @throws {@link UnsupportedError} when it is another for other numbers of rows.
 */
export function guidanceConfig(
  facts: Omit<GuidanceConfig, "graph">,
  shape: Shape,
  value: (samples: Node) => Node,
): NamedOptions {
  const graph = traceOf(`guidance "${facts.name}"`, [samplesOf(shape)], (inputs) => ({
    value: value(inputs.get("samples") as Node),
  }));
  const config: Sealed<GuidanceConfig> = sealed({ ...facts, graph });
  return { name: GRAPH, options: config as unknown as NamedOptions["options"] };
}

/** All options of an event, each in its range. */
export function checkedEvent(
  subject: string,
  { link, slope, offset, std }: Required<EventOptions>,
): Required<EventOptions> {
  return {
    link: choiceOption(`link of ${subject}`, link, ["sigmoid", "normal"] as const),
    slope: f32Option(`slope of ${subject}`, slope, { minimum: 0, open: "minimum" }),
    offset: f32Option(`offset of ${subject}`, offset, { minimum: 0, open: "minimum" }),
    std: choiceOption(`std of ${subject}`, std, ["held", "full"] as const),
  };
}

/**
 * The guidance of such a graph, for samples of this shape.
 *
 * @throws {@link CheckpointError} when it is damaged: the message names the node.
 */
export function openGuidance(given: unknown, shape: Shape): OpenGuidance {
  const { subject, fields } = unsealed("guidance", given, ["kind", "link", "slope", "offset", "std", "graph"]);
  const { kind, link, slope, offset, std, name } = fields as unknown as GuidanceConfig;
  if (!guidanceKinds.includes(kind)) throw damage(`${subject}, kind`, kind, guidanceKinds.join(" or "));
  const trace = openTrace(fields["graph"], subject, {
    inputs: [samplesOf(shape)],
    outputs: [VALUE],
    without: ["state", "random", "replaceRow"],
  });
  const dimension = sizeOf(shape);
  return {
    ...{ name, kind },
    ...checkedEvent(subject, { link, slope, offset, std }),
    value(samples) {
      const rows = sizeOf(samples.shape) / dimension;
      const inputs = new Map([["samples", reshape(samples, [rows, ...shape])]]);
      return trace.instantiate(rows, inputs).get("value") as Node;
    },
  };
}
