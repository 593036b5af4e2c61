/** How kernels of a product read its operands, seen through a window or not. */
import type { KernelCall } from "../../schedule/program.ts";

/** The function that reads four elements of a line of an operand: of the matrix in memory, or as the window makes one. */
export function readerOf({ parameters }: KernelCall, operand: "left" | "right", form: "Quad" | "Elements" | "Across") {
  const isSeen = parameters["channels"] !== undefined;
  if (operand === "left") return `${isSeen ? "window" : "left"}${form}`;
  return `${isSeen && parameters["transposeRight"] ? "tapwise" : "right"}${form}`;
}

/** Elements of an operand that lie side by side: quads of them may be read as such where they are a multiple of 4. */
export function lineWidth({ parameters }: KernelCall, operand: "left" | "right"): number {
  const { rows = 1, columns = 1, depth = 1, channels, transposeLeft, transposeRight } = parameters;
  if (operand === "left") return channels ?? (transposeLeft ? rows : depth);
  return transposeRight ? (channels ?? depth) : columns;
}
