/**
 * f16 storage: which temporaries of a program take 2 bytes an element. They are the large matrices of a training step,
 * nearly all of its memory: layers' inputs, their products that reverse mode reads again, and the cotangents. Points,
 * losses, sums, parameters, their gradients and moments stay f32, and so does all of a program without reverse mode. What
 * it costs in accuracy: docs/storage.md.
 *
 * Cotangents of a mean over N rows are 1/N of a row's own, which f16 tells from 0 badly: they are stored times a power
 * of 2 near N.
 */
import type { Cell } from "./cells.ts";
import { isPlaced } from "./order.ts";
import { isProductCall } from "./products.ts";
import type { Task } from "./tasks.ts";

/**
 * Marks the cells.
 *
 * @param tasks - each after those that write what it reads.
 * @param least - the fewest elements of a matrix that is marked.
 */
export function storeHalves(tasks: readonly Task[], least: number): void {
  const rows = new Map<Cell, number>(); // of cotangents
  const kept = new Set<Cell>();
  const layerInputs = new Set<Cell>(); // read by products, of forward mode or of weights' gradients
  const inner = new Set<Cell>(); // written by products and by what reads such
  const reversed = new Set<Cell>(); // written in reverse mode
  const refused = new Set<Cell>();
  for (const { call, chain, reads, writes } of tasks) {
    const isProduct = isProductCall(call);
    const { transposeLeft, transposeRight, depth = 1 } = isProduct ? call.parameters : {};
    const isReverse = transposeLeft || transposeRight || reads.some(({ cell }) => reversed.has(cell.root));
    const isInner = isProduct || reads.some(({ cell }) => inner.has(cell.root));
    for (const { cell } of writes) {
      if (isInner) inner.add(cell.root);
      if (isReverse) reversed.add(cell.root);
      if (transposeLeft || !(isProduct || chain)) refused.add(cell.root);
    }
    for (const [name, view] of Object.entries(call?.reads ?? {})) {
      const cell = view.cell.root;
      if (transposeLeft && name === "right") rows.set(cell, depth);
      else if (!isProduct || name !== "left") refused.add(cell);
      else if (transposeLeft || !isReverse) layerInputs.add(cell);
    }
    if (isReverse) for (const { view } of chain?.loads ?? []) kept.add(view.cell.root);
  }

  if (rows.size === 0) return; // no reverse mode
  const fits = (cell: Cell) => isPlaced(cell) && cell.dtype === "f32" && cell.size >= least && !refused.has(cell);
  const forward = [...kept].filter((cell) => !reversed.has(cell));
  for (const cell of [...layerInputs, ...forward]) if (fits(cell) && inner.has(cell)) cell.half = { scale: 1 };
  for (const [cell, depth] of rows) if (fits(cell)) cell.half = { scale: 2 ** Math.floor(Math.log2(depth)) };
}
