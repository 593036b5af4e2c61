/** The kernels that the report is about: every variant, as calls of a stated shape. */
import { attentionDispatches, attentionParts } from "../src/backends/webgpu/attention-source.ts";
import type { Dispatch } from "../src/backends/webgpu/dispatch.ts";
import { type LinearKernel, workgroupTiles } from "../src/backends/webgpu/linear-choice.ts";
import { lower } from "../src/backends/webgpu/lower.ts";
import { networkForms } from "../src/backends/webgpu/network-forms.ts";
import type { ReduceShader } from "../src/backends/webgpu/reduce-dispatches.ts";
import { softwareForms } from "../src/backends/webgpu/software-forms.ts";
import { wholeNetworkForm } from "../src/backends/webgpu/whole-network-form.ts";
import { onePlace, transposed, type Window, windowParameters } from "../src/ops/window.ts";
import type { ElementwiseOperand, KernelCall } from "../src/schedule/program.ts";
import { attentionCalls, productsOfPairs } from "./gpu-report-attention.ts";
import { otherCalls, type Work } from "./gpu-report-calls.ts";
import { fromProduct, fromStep, place, step } from "./gpu-report-operands.ts";

/** A dispatch, and its work at this shape. */
export interface ReportedKernel extends Work {
  readonly name: string;
  readonly shape: string;
  readonly dispatch: Dispatch;
  /** Why it runs on no GPU of the report, when it does not. */
  readonly software?: string;
}

export function kernelsToReport(): ReportedKernel[] {
  return [...products(), ...others()];
}

/** A matrix product to report, and the kernel that computes it. */
interface Product {
  readonly name: string;
  readonly kernel: LinearKernel;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly groups?: number;
  readonly segments?: number;
  readonly activation?: string;
  readonly bias?: boolean;
  readonly transposeLeft?: boolean;
  readonly transposeRight?: boolean;
  readonly sumsDepth?: number;
  /** What left is seen through; rows, columns and depth are the product's. */
  readonly seen?: { readonly window: Window; readonly channels: number };
}

/** Primal and a tangent of 32 sequences of 60 places. */
const sequences: Window = {
  down: onePlace,
  across: { ...onePlace, input: 60, output: 60, taps: 9, start: -4 },
};
const rowsOfSequences = 2 * 32 * 60;

/** The products of a training step at width 512, batch 512, one probe; and those for which other kernels are. */
const productsToReport: readonly Product[] = [
  { name: "layer", kernel: "tile", ...layer(512) },
  { name: "product alone", kernel: "tile", rows: 1024, columns: 512, depth: 512 },
  { name: "gradient of the input", kernel: "tile", rows: 1024, columns: 512, depth: 512, transposeRight: true },
  { name: "gradient of weights and bias", kernel: "tile", ...weightGradient(512) },
  { name: "any alignment", kernel: "tile", rows: 1021, columns: 509, depth: 511 },
  { name: "layer", kernel: "small", ...layer(128) },
  { name: "gradient of weights and bias, in 6 segments", kernel: "small", ...weightGradient(128), segments: 6 },
  { name: "first layer", kernel: "small", ...layer(512), depth: 3 },
  { name: "last layer, in 3 segments", kernel: "small", rows: 1024, columns: 2, depth: 512, bias: true, segments: 3 },
  { name: "convolution, 9 taps of 128 channels", kernel: "tile", ...sequenceLayer() },
  { name: "convolution's gradient of the input", kernel: "tile", ...sequenceBack() },
  { name: "convolution's gradient of weights and bias", kernel: "tile", ...sequenceGradient() },
  { name: "convolution, 3 x 3 taps of 32 channels", kernel: "tile", ...imageLayer() },
  { name: "convolution, 3 x 3 taps of 32 channels", kernel: "small", ...imageLayer() },
  { name: "convolution, 3 x 3 taps of 32 channels", kernel: "narrow", ...imageLayer() },
  { name: "convolution, 3 x 3 taps of 32 channels", kernel: "square", ...imageLayer() },
  { name: "gradient of 3 x 3 taps' weights, 64 channels", kernel: "tile", ...imageGradient(64) },
  { name: "gradient of 3 x 3 taps' weights, 64 channels", kernel: "square", ...imageGradient(64) },
  { name: "gradient of 3 x 3 taps' weights, 32 channels", kernel: "narrow", ...imageGradient(32) },
  { name: "gradient of 3 x 3 taps' weights, 32 channels", kernel: "small", ...imageGradient(32) },
  { name: "product alone", kernel: "panel", rows: 1024, columns: 512, depth: 512 },
  { name: "gradient of weights and bias", kernel: "panel", ...weightGradient(512) },
  { name: "layer", kernel: "registers", ...layer(512) },
  { name: "gradient of weights and bias", kernel: "registers", ...weightGradient(512) },
  { name: "last layer", kernel: "strip", rows: 1024, columns: 2, depth: 512, bias: true },
];

function layer(width: number) {
  return { rows: 1024, columns: width, depth: width, groups: 2, activation: "silu", bias: true };
}

function weightGradient(width: number) {
  return { rows: width, columns: width, depth: 1024, transposeLeft: true, sumsDepth: 512 };
}

function sequenceLayer() {
  const sizes = { rows: rowsOfSequences, columns: 128, depth: 9 * 128, seen: { window: sequences, channels: 128 } };
  return { ...sizes, groups: 2, activation: "silu", bias: true };
}

function sequenceBack() {
  const seen = { window: transposed(sequences), channels: 128 };
  return { rows: rowsOfSequences, columns: 128, depth: 9 * 128, seen, transposeRight: true };
}

function sequenceGradient() {
  const seen = { window: sequences, channels: 128 };
  const sizes = { rows: 9 * 128, columns: 128, depth: rowsOfSequences, seen };
  return { ...sizes, transposeLeft: true, sumsDepth: rowsOfSequences / 2 };
}

/** Primal and a tangent of 64 images of 16 x 16 places. */
function imageLayer() {
  const seen = images(16, 32);
  return { rows: 2 * 64 * 256, columns: 32, depth: 9 * 32, seen, groups: 2, activation: "silu", bias: true };
}

/** The same of 28 x 28. */
function imageGradient(channels: number) {
  const depth = 2 * 64 * 28 * 28;
  const sizes = { rows: 9 * channels, columns: channels, depth, seen: images(28, channels) };
  return { ...sizes, transposeLeft: true, sumsDepth: depth / 2 };
}

function images(side: number, channels: number) {
  const axis = { ...onePlace, input: side, output: side, taps: 3, start: -1 };
  return { window: { down: axis, across: axis }, channels };
}

const forSoftware: Partial<Record<LinearKernel, string>> = {
  panel: "for software adapters whose subgroups have four lanes, which no GPU here has",
  registers: "for software adapters",
  strip: "for software adapters",
};

function products(): ReportedKernel[] {
  return productsToReport.flatMap((product) => {
    const { kernel, segments = 1 } = product;
    return dispatchesOf(callOf(product), kernel, segments).map((dispatch, i): ReportedKernel => {
      const shape = shapeOf(product);
      if (i === 1) return { name: `linear-join, ${segments} segments`, shape, dispatch, ...joinWork(product) };
      const software = forSoftware[kernel];
      const name = `linear-${kernel}, ${product.name}`;
      return { name, shape, dispatch, ...productWork(product), ...(software && { software }) };
    });
  });
}

function dispatchesOf(
  call: KernelCall,
  kernel: LinearKernel = "tile",
  segments = 1,
  reduce: ReduceShader = "reduce",
): readonly Dispatch[] {
  const program = {
    name: "report",
    state: [],
    calls: [call],
    arenas: [],
    constants: new Uint32Array(0),
    peakBytes: 0,
    lowerBoundBytes: 0,
    graph: { name: "report", updates: [] },
    describe: () => call.label,
  };
  const traits = { software: false };
  const forms = { networks: networkForms, wholeNetwork: wholeNetworkForm, attention: attentionDispatches };
  const linear = () => ({ kernel, segments });
  return lower(program, { traits, software: softwareForms, forms, linear, reduce }).dispatches;
}

function shapeOf({ rows, columns, depth, groups = 1, transposeLeft, transposeRight, seen }: Product): string {
  const parts = [`${rows} x ${depth} by ${depth} x ${columns}`];
  if (seen) parts.push("left through windows");
  if (groups > 1) parts.push(`${groups} groups`);
  if (transposeLeft) parts.push("left transposed");
  if (transposeRight) parts.push("right transposed");
  return parts.join(", ");
}

function callOf(product: Product): KernelCall {
  const { name, rows, columns, depth, groups = 1, activation, bias, sumsDepth = 0, seen } = product;
  const count = (rows * columns) / groups;
  const call = {
    kernel: seen ? "convolve" : "linear",
    label: name,
    parameters: {
      rows,
      columns,
      depth,
      transposeLeft: Number(product.transposeLeft ?? false),
      transposeRight: Number(product.transposeRight ?? false),
      biasRows: bias ? rows / groups : 0,
      groups,
      sumsDepth,
      ...(seen && windowParameters(seen.window, seen.channels)),
    },
    bindings: {
      left: place("left", rows * depth), // of what a window sees more than there is: nothing reads its length
      right: place("right", depth * columns),
      ...(bias && { bias: place("bias", columns) }),
      ...(!activation && { out: place("out", rows * columns) }),
      ...(sumsDepth > 0 && { sums: place("sums", columns) }),
    },
    flops: 0,
    bytes: 0,
  };
  if (!activation) return call;
  const store = (where: string, group: number, source: ElementwiseOperand) => ({
    placement: place(where, count, group * count),
    source,
    dtype: "f32" as const,
  });
  const steps = [
    step(`${activation}0`, fromProduct(0)),
    step(`${activation}1`, fromProduct(0)),
    step("multiply", fromStep(1), fromProduct(1)),
  ];
  const stores = [
    store("out", 0, fromStep(0)),
    store("out", 1, fromStep(2)),
    store("kept", 0, fromProduct(0)),
    store("kept", 1, fromProduct(1)),
  ];
  return { ...call, chain: { count, loads: [], steps, stores } };
}

function productWork({ kernel, rows, columns, depth, activation, segments = 1 }: Product): Work {
  const tile = workgroupTiles[kernel];
  const tiles = Math.ceil(rows / tile.rows) * Math.ceil(columns / tile.columns);
  const stored = segments > 1 ? segments : activation ? 2 : 1;
  return {
    flops: 2 * rows * columns * depth,
    bytes: 4 * (tiles * (tile.rows + tile.columns) * depth + stored * rows * columns),
  };
}

function joinWork({ rows, columns, segments = 1 }: Product): Work {
  return { flops: segments * rows * columns, bytes: 4 * (segments + 1) * rows * columns };
}

function others(): ReportedKernel[] {
  return [...attentionCalls(), ...productsOfPairs(), ...otherCalls()].flatMap(({ name, shape, call, work, reduce }) =>
    dispatchesOf(call, undefined, undefined, reduce).flatMap((dispatch, i, all): ReportedKernel[] => {
      const isAttention = call.kernel.startsWith("attention");
      if (isAttention && all.slice(0, i).some(({ code }) => code === dispatch.code)) return []; // a later tangent's
      const parts = isAttention ? attentionParts : ["segments", "their join"];
      const later = i < parts.length ? "" : ", of later tangents";
      const part = all.length > 1 ? `, ${parts[i % parts.length]}${later}` : "";
      const software = reduce === "reduce-serial" && forSoftware.strip;
      return [{ name: `${name}${part}`, shape, dispatch, ...work, ...(software && { software }) }];
    }),
  );
}
