// linear: what the kernels of a matrix product share; src/kernels/linear.ts says the shapes. Each has a file:
//   linear-tile       a 64 x 64 tile a workgroup, through workgroup memory: large products on a GPU
//   linear-small      the same with 32 x 32: products of few tiles
//   linear-panel      a panel of right held by an invocation, many rows: GPUs that are a CPU's vectors of four lanes
//   linear-registers  an 8 x 8 tile an invocation: GPUs that are a CPU, whatever its subgroups
//   linear-strip      an 8 x 4 tile an invocation: the same where rows or columns are few
//   linear-window     no kernel: how these read a left operand that a window sees
//   linear-join       sums of segments of the depth, where the others leave such
// src/backends/webgpu/linear-source.ts puts a shader together: one of these, what it needs of this file, and
//   params            LinearParameters and the fields of the epilogue
//   left, right       arrays of f32 or f16, or of vectors of four where whole quads lie at multiples of 4
//   LEFT_TRANSPOSED, RIGHT_TRANSPOSED
//   GROUPS            row groups, 1 or 2: those of a tile's rows, half by half
//   DEPTH_IS_WHOLE    whether the depth is a multiple of 16, so that nothing past its end is read
//   SUMS              whether column sums are wanted
//   leftFour, rightFour(line, at, width)  elements at .. at + 3 of a line of the matrix as it lies in memory
//   finish(segment, row, column, sum of group 0, of group 1)  what becomes of an element; row within its group
//   finishSum(segment, column, sum)       what becomes of a column's sum
// Past the last row or column some value is read, whatever lies there, and never kept: it reaches no other row or
// column. Past the depth 0 is read.
// Variants tried, with figures: docs/kernels/linear.md.

// Rows row .. row + 3 at k .. k + 3 of left: [k] holds the four rows.
fn leftBlock(row: u32, k: u32) -> mat4x4f {
  if (LEFT_TRANSPOSED) {
    return withinDepth(k, mat4x4f(
      leftFour(k, row, params.rows),
      leftFour(k + 1u, row, params.rows),
      leftFour(k + 2u, row, params.rows),
      leftFour(k + 3u, row, params.rows),
    ));
  }
  return withinDepth(k, transpose(mat4x4f(
    leftFour(row, k, params.depth),
    leftFour(row + 1u, k, params.depth),
    leftFour(row + 2u, k, params.depth),
    leftFour(row + 3u, k, params.depth),
  )));
}

// k .. k + 3 at columns column .. column + 3 of right: [k] holds the four columns.
fn rightBlock(k: u32, column: u32) -> mat4x4f {
  if (RIGHT_TRANSPOSED) {
    return withinDepth(k, transpose(mat4x4f(
      rightFour(column, k, params.depth),
      rightFour(column + 1u, k, params.depth),
      rightFour(column + 2u, k, params.depth),
      rightFour(column + 3u, k, params.depth),
    )));
  }
  return withinDepth(k, mat4x4f(
    rightFour(k, column, params.columns),
    rightFour(k + 1u, column, params.columns),
    rightFour(k + 2u, column, params.columns),
    rightFour(k + 3u, column, params.columns),
  ));
}

fn withinDepth(k: u32, block: mat4x4f) -> mat4x4f {
  if (DEPTH_IS_WHOLE) {
    return block;
  }
  return upTo(params.depth, k, block);
}

// The block, 0 where k .. k + 3 are not below the end.
fn upTo(end: u32, k: u32, block: mat4x4f) -> mat4x4f {
  return mat4x4f(
    select(vec4f(), block[0], k < end),
    select(vec4f(), block[1], k + 1u < end),
    select(vec4f(), block[2], k + 2u < end),
    select(vec4f(), block[3], k + 3u < end),
  );
}

fn leftElements(line: u32, at: u32, width: u32) -> vec4f {
  let i = params.leftOffset + line * width + at;
  return vec4f(f32(left[i]), f32(left[i + 1u]), f32(left[i + 2u]), f32(left[i + 3u]));
}

fn leftQuad(line: u32, at: u32, width: u32) -> vec4f {
  return vec4f(left[(params.leftOffset + line * width + at) >> 2u]);
}

fn rightElements(line: u32, at: u32, width: u32) -> vec4f {
  let i = params.rightOffset + line * width + at;
  return vec4f(f32(right[i]), f32(right[i + 1u]), f32(right[i + 2u]), f32(right[i + 3u]));
}

fn rightQuad(line: u32, at: u32, width: u32) -> vec4f {
  return vec4f(right[(params.rightOffset + line * width + at) >> 2u]);
}

// sums[row] + left[row] right: one step of k for 4 rows and 4 columns, 16 FMAs.
fn outer(sums: mat4x4f, left: vec4f, right: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(vec4f(left.x), right, sums[0]),
    fma(vec4f(left.y), right, sums[1]),
    fma(vec4f(left.z), right, sums[2]),
    fma(vec4f(left.w), right, sums[3]),
  );
}

// Where the rows of a group that this 4-row block of a tile belongs to begin; `blocks` of them make a tile.
fn rowOfBlock(tile: u32, block: u32, blocks: u32) -> u32 {
  let each = blocks / GROUPS;
  return block / each * (params.rows / GROUPS) + (tile * each + block % each) * 4u;
}

// The part of the depth that a segment takes: from x, below y. Parts begin at multiples of 16.
fn depthOf(segment: u32, segments: u32) -> vec2u {
  let slices = (params.depth + 15u) / 16u;
  let each = (slices + segments - 1u) / segments * 16u;
  return min(vec2u(segment, segment + 1u) * each, vec2u(params.depth));
}

fn biased(row: u32, column: u32, sum: f32) -> f32 {
  if (row < params.biasRows) {
    return sum + bias[params.biasOffset + column];
  }
  return sum;
}
