/**
 * Which kernel computes a product, and in how many segments of its depth: by its shape and the kind of device, so that
 * a shape has the same bits in every run on a device. docs/kernels/linear.md has the figures behind the numbers.
 */
import type { KernelCall } from "../../schedule/program.ts";

/** A file linear-<name>.wgsl each, in shaders/ or shaders/software/; `narrow` and `square` shaders/window/linear-blocks.wgsl. */
export type LinearKernel = "tile" | "small" | "narrow" | "square" | "panel" | "registers" | "strip";

export interface LinearChoice {
  readonly kernel: LinearKernel;
  /** 1: none. Else each segment leaves a product of its own, and `linear-join` adds them up. */
  readonly segments: number;
  /** Workgroups along rows at most; beyond them they go on beside each other. Default: what a dispatch may have. */
  readonly mostAlong?: number;
}

export interface ProductShape {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Row groups, 1 or 2. */
  readonly groups: number;
  /** Whether left is seen through a window: then there is what networks alone have. */
  readonly isSeen?: boolean;
}

/** Of a call of `linear`. */
export function productShape({ parameters }: Pick<KernelCall, "parameters">): ProductShape {
  const { rows = 1, columns = 1, depth = 1, groups = 1, channels } = parameters;
  return { rows, columns, depth, groups, isSeen: channels !== undefined };
}

/** Rows (of all groups) and columns that one workgroup of a kernel computes. */
export const workgroupTiles: Readonly<Record<LinearKernel, { readonly rows: number; readonly columns: number }>> = {
  tile: { rows: 64, columns: 64 },
  small: { rows: 32, columns: 32 },
  narrow: { rows: 128, columns: 32 },
  square: { rows: 64, columns: 64 },
  panel: { rows: 256, columns: 16 },
  registers: { rows: 16, columns: 32 },
  strip: { rows: 16, columns: 16 },
};

/** The kernels that a device can run. */
export function linearKernels({ subgroupSize }: Pick<DeviceTraits, "subgroupSize">): LinearKernel[] {
  const all = Object.keys(workgroupTiles) as LinearKernel[];
  return all.filter((kernel) => kernel !== "panel" || subgroupSize === 4);
}

/** Whether the kernel is one for software adapters. */
export const isForCPUs = (kernel: LinearKernel) => ["panel", "registers", "strip"].includes(kernel);

/** Workgroups that keep a GPU busy: beyond them, small tiles and segments only cost memory traffic. */
const ENOUGH_WORKGROUPS = 96;

/** The least depth of a segment: below it, reading the sums again costs more than it brings. */
const SEGMENT_DEPTH = 128;
const MOST_SEGMENTS = 16;

/**
 * Of a depth this many times the longer side, as the weights' gradients have, sums are few beside what is added up: then
 * segments make workgroups for the largest GPUs too, each as deep as there are workgroups, so that sums stay cheap to join.
 */
const DEEP = 4;
const BUSY_WORKGROUPS = 1024;
const MOST_DEEP_SEGMENTS = 256;

/** Of the kernels for GPUs: segments begin at multiples of it. */
const SLICE = 16;

/** What of the device decides between kernels. */
export interface DeviceTraits {
  /** Whether it is a CPU: few invocations at once, and workgroup memory is no gain. */
  readonly software: boolean;
  /** Whether shaders may use subgroups. */
  readonly subgroups?: boolean;
  /** Lanes of every subgroup, where they may and all have as many. */
  readonly subgroupSize?: number | undefined;
}

export function chooseLinear(shape: ProductShape, { software, subgroupSize }: DeviceTraits): LinearChoice {
  const { rows, columns, depth, isSeen } = shape;
  if (software) {
    if (subgroupSize === 4) return { kernel: "panel", segments: 1 };
    const few = columns <= 4 || rows <= 8 || depth <= 4; // a depth so small has no use for a large tile, long to compile
    return { kernel: few ? "strip" : "registers", segments: 1 };
  }
  const small = workgroupsOf("small", shape);
  const tiles = Math.ceil(small / 4); // large ones, were none in part beyond the edge
  const isDeep = depth >= DEEP * Math.max(rows, columns);
  const wastes = isDeep && small <= 2 * workgroupsOf("tile", shape); // half of all large tiles, or more
  const large = isSeen && fitsNarrow(shape) ? "narrow" : wastes ? "small" : "tile";
  const kernelOf = (workgroups: number) => (workgroups < ENOUGH_WORKGROUPS ? "small" : large);
  const most = isDeep
    ? Math.min(Math.sqrt(depth / tiles), BUSY_WORKGROUPS / tiles, MOST_DEEP_SEGMENTS)
    : Math.min(ENOUGH_WORKGROUPS / workgroupsOf(kernelOf(tiles), shape), MOST_SEGMENTS);
  const slices = Math.ceil(depth / SLICE);
  const each = Math.ceil(slices / Math.max(Math.floor(Math.min(most, depth / SEGMENT_DEPTH)), 1));
  const segments = Math.ceil(slices / each); // none is empty
  return { kernel: kernelOf(isDeep ? tiles * segments : tiles), segments };
}

/** Whether tiles of 32 columns waste fewer than tiles of 64. */
export const fitsNarrow = ({ rows, columns }: ProductShape) => rows > 64 && Math.ceil(columns / 32) % 2 === 1;

function workgroupsOf(kernel: LinearKernel, shape: ProductShape): number {
  const [x, y] = linearGrid(kernel, shape);
  return x * y;
}

/** Workgroups along columns and rows. */
export function linearGrid(kernel: LinearKernel, { rows, columns }: ProductShape): readonly [number, number] {
  const tile = workgroupTiles[kernel];
  return [Math.ceil(columns / tile.columns), Math.ceil(rows / tile.rows)];
}
