/** Sums of zero-padded pieces, as reverse mode makes of slices of one vector: joined instead of added. */
import { isNodeOf, type Node, type Shape } from "../graph/node.ts";
import { concat, concatOp } from "../ops/shape.ts";
import { constant, constantValue } from "../ops/sources.ts";

interface Part {
  readonly node: Node;
  readonly start: number;
  readonly end: number;
  readonly zero: boolean;
}

/** a + b as one concat, when both are concats along one axis and where one is not 0 the other is; else undefined. */
export function sumOfPads(a: Node, b: Node): Node | undefined {
  if (!isNodeOf(a, concatOp.op) || !isNodeOf(b, concatOp.op)) return undefined;
  const { axis } = a.attributes;
  if (b.attributes.axis !== axis || a.dtype !== "f32") return undefined;
  const [ofA, ofB] = [partsOf(a, axis), partsOf(b, axis)];
  const joined: Node[] = [];
  const total = a.shape[axis] as number;
  for (let position = 0; position < total; ) {
    const partA = partAt(ofA, position);
    const partB = partAt(ofB, position);
    if (partA.zero && partB.zero) {
      const end = Math.min(partA.end, partB.end);
      joined.push(constant(0, resized(a.shape, axis, end - position)));
      position = end;
      continue;
    }
    const [taken, others] = partB.zero ? [partA, ofB] : [partB, ofA];
    const covered = others.filter((part) => part.start < taken.end && part.end > taken.start);
    if (taken.start !== position || !covered.every((part) => part.zero)) return undefined;
    joined.push(taken.node);
    position = taken.end;
  }
  return concat(joined, axis);
}

function partsOf(joint: Node, axis: number): Part[] {
  let end = 0;
  return joint.inputs.map((node) => {
    const start = end;
    end += node.shape[axis] as number;
    return { node, start, end, zero: constantValue(node) === 0 };
  });
}

const partAt = (parts: readonly Part[], position: number) => parts.find((part) => position < part.end) as Part;

const resized = (shape: Shape, axis: number, size: number) => shape.map((full, k) => (k === axis ? size : full));
