/**
 * Products that sum over many more rows than either side has columns, as the gradients of a network's weights over all places of many
 * images or sequences do: they become calls that WebAssembly computes without packing either side (wasm/deep.ts).
 */
import type { KernelCall, Program } from "../../schedule/program.ts";

/** Fewest rows, in all and for each column of the wider side. With fewer, what is packed is used often enough. */
const LEAST_ROWS = 2048;
const ROWS_A_COLUMN = 32;
/** The kernel multiplies tiles of so many rows and columns. */
const [TILE_ROWS, TILE_COLUMNS] = [4, 8];

/** The program with such products as convolutions of one place and one tap, whose sums wasm/deep.ts takes. */
export function withDeepProducts(program: Program): Program {
  return { ...program, calls: program.calls.map((call) => (isDeep(call) ? throughOneTap(call) : call)) };
}

function isDeep({ kernel, chain, parameters }: KernelCall): boolean {
  const { rows = 0, columns = 0, depth = 0, transposeLeft, transposeRight, biasRows } = parameters;
  if (kernel !== "linear" || chain || !transposeLeft || transposeRight || biasRows) return false;
  if (rows % TILE_ROWS > 0 || columns % TILE_COLUMNS > 0) return false;
  return depth >= Math.max(LEAST_ROWS, ROWS_A_COLUMN * Math.max(rows, columns));
}

/** A window of one place and one tap, as the kernel's parameters say it, of so many channels. */
const onePlace = Object.fromEntries(
  ["down", "across"].flatMap((axis) => [
    ...["Input", "Output", "Taps", "Stride", "Fraction", "Dilation"].map((field) => [`${axis}${field}`, 1] as const),
    [`${axis}Start`, 0] as const,
  ]),
);

function throughOneTap(call: KernelCall): KernelCall {
  const { parameters } = call;
  return {
    ...call,
    kernel: "convolve",
    parameters: { ...parameters, ...onePlace, channels: parameters["rows"] as number },
  };
}
