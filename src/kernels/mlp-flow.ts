/**
 * mlpFlow: points carried along the velocity field of a multi-layer perceptron by many steps of an explicit Runge-Kutta
 * method, with the log-density along the way: a whole network in one kernel, for widths up to 128.
 *   flow  [rows dimension] points x, then [rows columns] log-densities, row-major each; then as many numbers once more,
 *         what each of them lacks by rounding; changed in place. columns is 1 when exact, else `probes`; 0 without probes.
 *   parameters  the network's flat vector; `vectors` is the same operand once more, which the GPU reads by fours.
 *   layers  u32 [layers, 3]: outputs, where its weight [inputs, outputs] and its bias [outputs] begin in `parameters`.
 *   times   the grid of times; range, u32 [2]: the first step and how many. Step n goes from times[n] to times[n + 1].
 *   probe   [probes, rows, dimension]: directions z; each adds -z.(J z) to a rate of log-density. When exact they are
 *           the unit vectors and all add to one; then, and without probes, it is not read: any operand will do.
 *
 * v(x, t): h = (x, t); h = activation(h W + b) for all layers but the last, which has no activation; J = dv/dx.
 * Stage i of a step of size s is at x + a_i s k_(i-1) and t + c_i s; x gains s sum b_i k_i.
 */
import { layouts } from "../generated/layouts.ts";
import { type KernelDeclaration, linearWorkgroups } from "./kernel.ts";

/** The most that the kernel takes. */
export const mlpFlowLimits = { width: 128, dimension: 16, stages: 4 } as const;

const INVOCATIONS = 128;
/** Quads of values, 16 bytes each, in 16 KiB of workgroup memory. */
const MOST_QUADS = 1024;
/** An invocation's block of a layer's values: two quads of rows by four columns. */
const BLOCK_QUADS = 2;
const BLOCK_COLUMNS = 4;
const MOST_TANGENTS = 3;
/** Parts of the last layer's sums: more would cost more to add up than they save. */
const MOST_SPLITS = 8;

/** Points in a quad of rows: each lies beside its tangents. */
const pointsPerQuad = [4, 2, 1, 1] as const;

/**
 * How a workgroup shares a network: rowGroups x columnGroups invocations have a block of each layer each. Two
 * invocations of a row group own a coordinate of the points each, so there are at least 2 `dimension` of them. The last
 * layer's sums are taken in `splits` parts.
 *
 * @param widest - the largest number of outputs of a hidden layer.
 * @param probes - directions in all; those that exceed `tangents` take passes of their own.
 */
export function mlpFlowTiling({ dimension, widest, probes }: { dimension: number; widest: number; probes: number }) {
  const quads = (count: number) => Math.ceil(count / BLOCK_COLUMNS);
  const height = BLOCK_COLUMNS * Math.max(quads(widest), quads(dimension + 1));
  const columnGroups = Math.max(height / BLOCK_COLUMNS, BLOCK_QUADS * dimension);
  const byInvocations = Math.floor(INVOCATIONS / columnGroups);
  const byMemory = Math.floor(MOST_QUADS / (BLOCK_QUADS * height));
  const fitting = Math.min(
    Math.floor(columnGroups / (BLOCK_QUADS * quads(dimension))),
    Math.floor(height / (BLOCK_COLUMNS * quads(dimension))),
  );
  const passes = Math.max(1, Math.ceil(probes / MOST_TANGENTS));
  return {
    tangents: Math.ceil(probes / passes),
    rowGroups: Math.min(byInvocations, byMemory),
    columnGroups,
    splits: Math.max(1, Math.min(MOST_SPLITS, fitting)),
  };
}

export const mlpFlow: KernelDeclaration = {
  name: "mlpFlow",
  parameters: layouts.MlpFlowParameters,
  bindings: {
    parameters: { access: "read", element: "f32" },
    vectors: { access: "read", element: "f32" },
    layers: { access: "read", element: "u32" },
    times: { access: "read", element: "f32" },
    range: { access: "read", element: "u32" },
    probe: { access: "read", element: "f32" },
    flow: { access: "write", element: "f32" }, // read too: where the points start
  },
  workgroups: ({ rows = 1, rowGroups = 1, tangents = 0 }) => {
    const points = BLOCK_QUADS * rowGroups * (pointsPerQuad[tangents] as number);
    return linearWorkgroups(Math.ceil(rows / points), 1);
  },
};
