/** What every implementation's matmul shares: operands, and the comparison of some elements with f64. */
import { deviationOf, productElements } from "./reference.mjs";
import type { MatmulShape } from "./session.ts";
import { matmulOperand } from "./workload.mjs";

/** Elements that are compared: odd steps through the result meet every row and column class. */
const EVIDENCE_ELEMENTS = 64;

/** Row-major sizes of the operands as they lie. */
export function operandShapes({ rows, columns, depth, transposeLeft, transposeRight }: MatmulShape) {
  return {
    left: transposeLeft ? [depth, rows] : [rows, depth],
    right: transposeRight ? [columns, depth] : [depth, columns],
  };
}

export function matmulOperands({ rows, columns, depth }: MatmulShape) {
  return { left: matmulOperand(rows * depth, 1), right: matmulOperand(depth * columns, 2) };
}

/** Deviation of some elements of the result [rows, columns] from f64. */
export function matmulEvidence(
  shape: MatmulShape,
  left: Float32Array,
  right: Float32Array,
  result: ArrayLike<number>,
): number {
  const { rows, columns } = shape;
  const elements = Array.from({ length: EVIDENCE_ELEMENTS }, (_, i) =>
    Math.floor((i * (rows * columns - 1)) / (EVIDENCE_ELEMENTS - 1)),
  );
  const expected = productElements(shape, left, right, elements);
  return deviationOf(
    elements.map((element) => result[element] as number),
    expected,
  );
}
