/** What a model file says of itself, before there is a runtime to load it with. */

import type { KnownConditions } from "./told.ts";

/** The facts in its metadata; undefined where it has none, or is no model file: whoever loads it says so. */
export function factsIn(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true));
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    const facts: unknown = JSON.parse((header as { __metadata__: { divflow: string } }).__metadata__.divflow);
    return typeof facts === "object" && facts !== null ? { ...facts } : undefined;
  } catch {
    return undefined;
  }
}

/** Names of the columns that its data had; undefined where it says none. */
export function columnsIn(bytes: Uint8Array): readonly string[] | undefined {
  const columns = factsIn(bytes)?.["columns"];
  return Array.isArray(columns) && columns.every((name) => typeof name === "string") ? columns : undefined;
}

/** What the model is told beside points, by name; undefined where it is told nothing. */
export function conditionsIn(bytes: Uint8Array): KnownConditions | undefined {
  const facts = factsIn(bytes);
  const { config } = recordOf(facts?.["network"]);
  const declared = Object.entries(recordOf(recordOf(config)["conditions"]));
  if (declared.length === 0) return undefined;
  const known = recordOf(facts?.["conditions"]);
  const each = declared.map(([name, one]): [string, KnownConditions[string]] => {
    const { classes } = recordOf(one);
    const { names } = recordOf(known[name]);
    return [name, { ...(typeof classes === "number" ? { classes } : {}), ...(Array.isArray(names) ? { names } : {}) }];
  });
  return Object.fromEntries(each);
}

function recordOf(given: unknown): Readonly<Record<string, unknown>> {
  return typeof given === "object" && given !== null ? { ...given } : {};
}

/** Whether a file holds a flow map with a head of average divergences. */
export function hasHead(bytes: Uint8Array): boolean {
  const { config } = recordOf(recordOf(factsIn(bytes))["network"]) as { readonly config?: unknown };
  return recordOf(recordOf(config)["average"])["divergence"] === true;
}
