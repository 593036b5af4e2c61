/** The events as functions that guide samples: C of samples [B, length, coordinates], written with the library's ops. */
import { defineGuidance, type Guidance, type GuidanceDefinition, ops } from "divflow/networks";
import type { EventName } from "./systems.ts";

type Samples = Parameters<GuidanceDefinition["build"]>[0]["samples"];

export function guidanceOf(name: EventName, threshold: number): Guidance {
  const build = ({ samples }: { readonly samples: Samples }) => ops.subtract(heightOf(name, samples), threshold);
  return defineGuidance({ name: `${name} ${threshold}`, build });
}

/** [B, 1] */
function heightOf(name: EventName, samples: Samples): Samples {
  const [rows = 0, length = 0] = samples.shape;
  const column = (k: number) => ops.reshape(ops.slice(samples, 2, k, k + 1), [rows, length]);
  if (name === "last") return ops.slice(column(0), 1, length - 1, length);
  if (name === "stays") return ops.multiply(ops.max(ops.multiply(column(0), -1), [1]), -1);
  return ops.max(ops.multiply(ops.add(column(0), column(1)), 0.5), [1]);
}
