/**
 * The parameter struct of every kernel, each declared once: the build puts it into the WGSL that names it, and writes
 * its layout to src/generated/layouts.ts for both backends. Only the build imports this file, so that users download
 * no TypeGPU.
 *
 * Fields are u32 or f32, so that a WGSL uniform and WASM memory hold the same bytes. For each binding `x` there is a
 * field `xOffset`, u32: elements from the binding's start to the operand's (backends fill these in).
 */
import * as d from "typegpu/data";

const attentionFields = {
  batch: d.u32,
  length: d.u32,
  heads: d.u32,
  width: d.u32, // of a head
  tangents: d.u32,
  kindStride: d.u32,
  headStride: d.u32,
  scale: d.f32,
  joinedOffset: d.u32,
};

export const AttentionParameters = d.struct({ ...attentionFields, outOffset: d.u32 });

export const AttentionReverseParameters = d.struct({
  ...attentionFields,
  cotangentsOffset: d.u32,
  outOffset: d.u32,
});

export const CopyParameters = d.struct({
  size0: d.u32,
  size1: d.u32,
  size2: d.u32,
  size3: d.u32,
  sourceStart: d.u32,
  sourceStride0: d.u32,
  sourceStride1: d.u32,
  sourceStride2: d.u32,
  sourceStride3: d.u32,
  targetStart: d.u32,
  targetStride0: d.u32,
  targetStride1: d.u32,
  targetStride2: d.u32,
  targetStride3: d.u32,
  sourceOffset: d.u32,
  targetOffset: d.u32,
});

export const GatherParameters = d.struct({
  count: d.u32,
  width: d.u32,
  rows: d.u32, // of the table; indices are below it
  tableOffset: d.u32,
  indicesOffset: d.u32,
  outOffset: d.u32,
});

export const LinearParameters = d.struct({
  rows: d.u32,
  columns: d.u32,
  depth: d.u32,
  transposeLeft: d.u32, // 0 or 1
  transposeRight: d.u32,
  biasRows: d.u32, // 0: no bias
  groups: d.u32, // row groups of the product that a chain reads; rows are a multiple of it
  sumsDepth: d.u32, // rows of right that `sums` adds up; 0: none
  leftOffset: d.u32,
  rightOffset: d.u32,
  biasOffset: d.u32,
  outOffset: d.u32,
  sumsOffset: d.u32,
});

export const MatmulEachParameters = d.struct({
  batch0: d.u32,
  batch1: d.u32,
  rows: d.u32,
  columns: d.u32,
  depth: d.u32,
  scale: d.f32,
  left0: d.u32, // strides, in elements: from batch to batch along both axes, from row to row, along the depth
  left1: d.u32,
  leftRow: d.u32,
  leftDepth: d.u32,
  right0: d.u32,
  right1: d.u32,
  rightDepth: d.u32,
  rightColumn: d.u32,
  out0: d.u32,
  out1: d.u32,
  outRow: d.u32,
  leftOffset: d.u32,
  rightOffset: d.u32,
  outOffset: d.u32,
});

/** Of `convolve`: what follows LinearParameters. Dilations and starts are signed, as two's complements. */
export const ConvolveParameters = d.struct({
  ...LinearParameters.propTypes,
  channels: d.u32,
  downInput: d.u32,
  downOutput: d.u32,
  downTaps: d.u32,
  downStride: d.u32,
  downFraction: d.u32,
  downDilation: d.u32,
  downStart: d.u32,
  acrossInput: d.u32,
  acrossOutput: d.u32,
  acrossTaps: d.u32,
  acrossStride: d.u32,
  acrossFraction: d.u32,
  acrossDilation: d.u32,
  acrossStart: d.u32,
});

export const MlpFlowParameters = d.struct({
  rows: d.u32,
  dimension: d.u32,
  layers: d.u32, // all of them, at least two
  activation: d.u32, // index into activationKinds
  stages: d.u32, // 1 to 4
  a1: d.f32,
  a2: d.f32,
  a3: d.f32,
  b0: d.f32,
  b1: d.f32,
  b2: d.f32,
  b3: d.f32,
  c1: d.f32,
  c2: d.f32,
  c3: d.f32,
  probes: d.u32, // directions that J is taken along; 0: no log-density
  exact: d.u32, // 1: they are the unit vectors
  tangents: d.u32, // directions at once, 0 to 3
  rowGroups: d.u32, // the rest: see mlpFlowTiling
  columnGroups: d.u32,
  splits: d.u32,
  parametersOffset: d.u32,
  vectorsOffset: d.u32,
  layersOffset: d.u32,
  timesOffset: d.u32,
  rangeOffset: d.u32,
  probeOffset: d.u32,
  flowOffset: d.u32,
});

export const RandomParameters = d.struct({
  count: d.u32,
  kind: d.u32, // index into randomKinds
  stream: d.u32,
  bound: d.u32, // for "index"; else 0
  seedOffset: d.u32,
  counterOffset: d.u32,
  outOffset: d.u32,
});

export const ReduceParameters = d.struct({
  outer: d.u32,
  reduced: d.u32,
  inner: d.u32,
  kind: d.u32, // index into `reductions`
  scale: d.f32,
  inOffset: d.u32,
  outOffset: d.u32,
});

export const ReplaceRowParameters = d.struct({
  rows: d.u32,
  width: d.u32,
  indexOffset: d.u32,
  rowOffset: d.u32,
  tableOffset: d.u32,
});

export const ScatterAddParameters = d.struct({
  count: d.u32,
  width: d.u32,
  rows: d.u32,
  valuesOffset: d.u32,
  indicesOffset: d.u32,
  outOffset: d.u32,
});
