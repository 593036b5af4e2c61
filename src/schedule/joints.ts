/** Joints: concatenations along axis 0, whose parts lie one after another and are read as one matrix. */
import { isNodeOf, type Node } from "../graph/node.ts";
import { concat, concatOp, slice, sliceOp } from "../ops/shape.ts";
import { asRows } from "./products.ts";
import { reshaped, unshaped } from "./reshaped.ts";

/** Where a node already lies in a joint. */
export interface KnownJoint {
  readonly joint: Node;
  readonly position: number;
}

/** For each node that is, under a reshape perhaps, part of a joint: the first such joint, and which part it is. */
export function knownJoints(nodes: readonly Node[]): Map<Node, KnownJoint> {
  const known = new Map<Node, KnownJoint>();
  for (const joint of nodes) {
    if (!isNodeOf(joint, concatOp.op) || joint.attributes.axis !== 0) continue;
    joint.inputs.forEach((part, position) => {
      const node = unshaped(part);
      if (!known.has(node)) known.set(node, { joint, position });
    });
  }
  return known;
}

/**
 * The rows of these matrices one after another: a slice where they already lie so, else a new joint. Of images [B, places,
 * channels] their places are the rows of such a joint, so that products through windows and others share it.
 */
export function stackRows(parts: readonly Node[]): Node {
  const [first] = parts as [Node];
  if (first.shape.length > 2) {
    const count = parts.reduce((total, { shape }) => total + (shape[0] as number), 0);
    return reshaped(stackRows(parts.map(asRows)), [count, ...first.shape.slice(1)]);
  }
  if (!isNodeOf(first, sliceOp.op) || first.attributes.axis !== 0) return concat(parts, 0);
  const whole = first.inputs[0] as Node;
  let end = first.attributes.start;
  for (const part of parts) {
    const follows =
      isNodeOf(part, sliceOp.op) &&
      part.attributes.axis === 0 &&
      part.inputs[0] === whole &&
      part.attributes.start === end;
    if (!follows) return concat(parts, 0);
    end = part.attributes.end;
  }
  return slice(whole, 0, first.attributes.start, end);
}
