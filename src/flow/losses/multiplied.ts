import type { Node } from "../../graph/node.ts";
import { multiply } from "../../ops/arithmetic.ts";
import type { VelocityField } from "./loss.ts";

/** The field times a factor of time, from times [B, 1] to [B, 1]. */
export function multiplied(field: VelocityField, factor: (t: Node) => Node): VelocityField {
  const own: VelocityField = (x, t) => multiply(field(x, t), factor(t));
  const { rows } = field;
  return rows
    ? Object.assign(own, { rows: (change: Parameters<typeof rows>[0]) => multiplied(rows(change), factor) })
    : own;
}
