/** What each row of a batch is told: its conditions, dropped at random where the network is to learn to do without. */
import type { DataSource } from "../data/source.ts";
import type { Node, Shape } from "../graph/node.ts";
import { type Conditions, type Network, toldName } from "../nn/network.ts";
import { less, multiply, select } from "../ops/arithmetic.ts";
import { broadcast, reshape } from "../ops/shape.ts";
import { table } from "../ops/sources.ts";
import type { ConditionFacts } from "./checkpoint.ts";

/**
 * The conditions of a network from those drawn with a batch [B, ...].
 *
 * @param uniform - B uniform numbers [B, 1], others at each call; left out: nothing is dropped, as where a model is judged.
 */
export function toldConditions(
  { conditions }: Pick<Network, "conditions">,
  drawn: ReadonlyMap<string, Node>,
  rows: number,
  uniform?: () => Node,
): Conditions | undefined {
  if (!conditions) return undefined;
  const told = new Map<string, Node>();
  for (const [name, { shape, classes, drop }] of Object.entries(conditions)) {
    const value = drawn.get(name) as Node; // expectConditionsFit
    const kept = drop === undefined ? undefined : uniform ? less(drop, uniform()) : ones(rows);
    if (classes !== undefined) {
      told.set(name, kept ? select(reshape(kept, [rows]), value, all(classes, [rows], "u32")) : value);
      continue;
    }
    told.set(name, kept ? multiply(value, everywhere(kept, shape)) : value);
    if (kept) told.set(toldName(name), kept);
  }
  return told;
}

function ones(rows: number): Node {
  return all(1, [rows, 1], "f32");
}

function all(value: number, shape: Shape, dtype: "f32" | "u32"): Node {
  return broadcast(table([value], [1], dtype), shape);
}

/** [B, 1] beside values [B, ...shape]. */
function everywhere(perRow: Node, shape: Shape): Node {
  const rows = perRow.shape[0] as number;
  return broadcast(reshape(perRow, [rows, ...shape.map(() => 1)]), [rows, ...shape]);
}

/** What a sample of a model is that is trained on these data. */
export function sampleShape(network: Pick<Network, "sample" | "dimension">, data: Pick<DataSource, "shape">): Shape {
  return data.shape ?? network.sample ?? [network.dimension];
}

/** Names and units of what the data say of each point, as models keep them; undefined where they say nothing. */
export function conditionFacts({ conditions }: Pick<DataSource, "conditions">): ConditionFacts | undefined {
  if (!conditions) return undefined;
  return Object.fromEntries(
    Object.entries(conditions).map(([name, { names, standardization }]) => [
      name,
      { ...(names ? { names } : {}), ...(standardization ? { standardization } : {}) },
    ]),
  );
}
