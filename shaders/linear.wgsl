// use: elementwise
// linear: out = activation(left right + bias + addend); src/kernels/linear.ts says the shapes. Any size >= 1.
//
// Workgroup (i, j): the 64 x 64 tile of out at column 64 i, row 64 j. 64 invocations, as 8 x 8.
// Invocation (c, r): an 8 x 8 block in registers, 64 FMAs per 16 values read. Its rows are 4 r .. 4 r + 3 and
// 32 + 4 r .. 32 + 4 r + 3 of the tile, its columns likewise: so neighbours read neighbouring quads, and no two
// addresses of one read meet in one memory bank.
// depth goes by in slices of 16, staged in 8.5 KiB of the 16 KiB workgroup memory that every device has. The next
// slice is on its way into registers while one is worked on.
// Staging: an invocation moves a 4 x 4 block of each matrix, read by quads along the rows in memory, transposed in
// registers where k lies along them. Past the edge: read as 0, never written.
// The finished tile goes out through workgroup memory, half by half: rows are written whole, and bias, addend and
// activation are compiled once, not 64 times.
// Written out where a loop would index registers. Variants tried, with figures: docs/kernels/linear.md.
override leftTransposed = false;
override rightTransposed = false;
override activation = 0u;

const TILE = 64u;
const SLICE = 16u;
const STRIDE = 17u; // quads from k to k: odd, or the transposing stores would meet one memory bank 4 times
const RIGHT = SLICE * STRIDE;

@group(0) @binding(0) var<uniform> params: LinearParameters;
@group(0) @binding(1) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read> addend: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

var<workgroup> slices: array<vec4f, 544>; // left [k][row quad], then right [k][column quad]; each SLICE x STRIDE

@compute @workgroup_size(8, 8)
fn linear(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_id) block: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let row = tile.y * TILE;
  let column = tile.x * TILE;
  // Which 4 x 4 block of a slice this invocation moves: along k four neighbours share a row of memory, else sixteen.
  let leftK = select(index & 3u, index >> 4u, leftTransposed) * 4u;
  let leftQuad = select(index >> 2u, index & 15u, leftTransposed);
  let rightK = select(index >> 4u, index & 3u, rightTransposed) * 4u;
  let rightQuad = select(index & 15u, index >> 2u, rightTransposed);

  var s00 = vec4f(); // row 0 of the block, its first four columns
  var s01 = vec4f(); // and its last
  var s10 = vec4f();
  var s11 = vec4f();
  var s20 = vec4f();
  var s21 = vec4f();
  var s30 = vec4f();
  var s31 = vec4f();
  var s40 = vec4f();
  var s41 = vec4f();
  var s50 = vec4f();
  var s51 = vec4f();
  var s60 = vec4f();
  var s61 = vec4f();
  var s70 = vec4f();
  var s71 = vec4f();
  for (var start = 0u; start < params.depth + SLICE; start += SLICE) {
    let leftNext = leftBlock(row + leftQuad * 4u, start + leftK); // zeros in the last round
    let rightNext = rightBlock(start + rightK, column + rightQuad * 4u);
    if (start > 0u) {
      for (var k = 0u; k < SLICE; k++) {
        let a0 = slices[k * STRIDE + block.y];
        let a1 = slices[k * STRIDE + block.y + 8u];
        let b0 = slices[k * STRIDE + block.x + RIGHT];
        let b1 = slices[k * STRIDE + block.x + RIGHT + 8u];
        s00 = fma(vec4f(a0.x), b0, s00);
        s01 = fma(vec4f(a0.x), b1, s01);
        s10 = fma(vec4f(a0.y), b0, s10);
        s11 = fma(vec4f(a0.y), b1, s11);
        s20 = fma(vec4f(a0.z), b0, s20);
        s21 = fma(vec4f(a0.z), b1, s21);
        s30 = fma(vec4f(a0.w), b0, s30);
        s31 = fma(vec4f(a0.w), b1, s31);
        s40 = fma(vec4f(a1.x), b0, s40);
        s41 = fma(vec4f(a1.x), b1, s41);
        s50 = fma(vec4f(a1.y), b0, s50);
        s51 = fma(vec4f(a1.y), b1, s51);
        s60 = fma(vec4f(a1.z), b0, s60);
        s61 = fma(vec4f(a1.z), b1, s61);
        s70 = fma(vec4f(a1.w), b0, s70);
        s71 = fma(vec4f(a1.w), b1, s71);
      }
      workgroupBarrier(); // the slices are read
    }
    let leftAt = leftK * STRIDE + leftQuad;
    slices[leftAt] = leftNext[0];
    slices[leftAt + STRIDE] = leftNext[1];
    slices[leftAt + 2u * STRIDE] = leftNext[2];
    slices[leftAt + 3u * STRIDE] = leftNext[3];
    let rightAt = RIGHT + rightK * STRIDE + rightQuad;
    slices[rightAt] = rightNext[0];
    slices[rightAt + STRIDE] = rightNext[1];
    slices[rightAt + 2u * STRIDE] = rightNext[2];
    slices[rightAt + 3u * STRIDE] = rightNext[3];
    workgroupBarrier(); // the slices are written
  }

  let at = block.y * 4u * 16u + block.x; // [row][column quad], 32 x 16
  for (var half = 0u; half < 2u; half++) {
    if (half == 0u) {
      slices[at] = s00;
      slices[at + 8u] = s01;
      slices[at + 16u] = s10;
      slices[at + 24u] = s11;
      slices[at + 32u] = s20;
      slices[at + 40u] = s21;
      slices[at + 48u] = s30;
      slices[at + 56u] = s31;
    } else {
      slices[at] = s40;
      slices[at + 8u] = s41;
      slices[at + 16u] = s50;
      slices[at + 24u] = s51;
      slices[at + 32u] = s60;
      slices[at + 40u] = s61;
      slices[at + 48u] = s70;
      slices[at + 56u] = s71;
    }
    workgroupBarrier();
    for (var i = index; i < 512u; i += 64u) {
      write(row + half * 32u + i / 16u, column + i % 16u * 4u, slices[i]);
    }
    workgroupBarrier();
  }
}

// Rows row .. row + 3 at k .. k + 3 of left: [k] holds the four rows.
fn leftBlock(row: u32, k: u32) -> mat4x4f {
  if (leftTransposed) {
    return mat4x4f(
      leftFour(k, row, params.depth, params.rows),
      leftFour(k + 1u, row, params.depth, params.rows),
      leftFour(k + 2u, row, params.depth, params.rows),
      leftFour(k + 3u, row, params.depth, params.rows),
    );
  }
  return transpose(mat4x4f(
    leftFour(row, k, params.rows, params.depth),
    leftFour(row + 1u, k, params.rows, params.depth),
    leftFour(row + 2u, k, params.rows, params.depth),
    leftFour(row + 3u, k, params.rows, params.depth),
  ));
}

// k .. k + 3 at columns column .. column + 3 of right: [k] holds the four columns.
fn rightBlock(k: u32, column: u32) -> mat4x4f {
  if (rightTransposed) {
    return transpose(mat4x4f(
      rightFour(column, k, params.columns, params.depth),
      rightFour(column + 1u, k, params.columns, params.depth),
      rightFour(column + 2u, k, params.columns, params.depth),
      rightFour(column + 3u, k, params.columns, params.depth),
    ));
  }
  return mat4x4f(
    rightFour(k, column, params.depth, params.columns),
    rightFour(k + 1u, column, params.depth, params.columns),
    rightFour(k + 2u, column, params.depth, params.columns),
    rightFour(k + 3u, column, params.depth, params.columns),
  );
}

// Elements at .. at + 3 of a line of the matrix as it lies in memory, lines x width.
fn leftFour(line: u32, at: u32, lines: u32, width: u32) -> vec4f {
  if (line >= lines || at >= width) {
    return vec4f();
  }
  let i = params.leftOffset + line * width + at;
  let four = vec4f(left[i], left[i + 1u], left[i + 2u], left[i + 3u]); // past the end: some value, not used
  return select(vec4f(), four, vec4u(at, at + 1u, at + 2u, at + 3u) < vec4u(width));
}

fn rightFour(line: u32, at: u32, lines: u32, width: u32) -> vec4f {
  if (line >= lines || at >= width) {
    return vec4f();
  }
  let i = params.rightOffset + line * width + at;
  let four = vec4f(right[i], right[i + 1u], right[i + 2u], right[i + 3u]);
  return select(vec4f(), four, vec4u(at, at + 1u, at + 2u, at + 3u) < vec4u(width));
}

fn write(row: u32, column: u32, sum: vec4f) {
  if (row >= params.rows) {
    return;
  }
  writeOne(row, column, sum.x);
  writeOne(row, column + 1u, sum.y);
  writeOne(row, column + 2u, sum.z);
  writeOne(row, column + 3u, sum.w);
}

fn writeOne(row: u32, column: u32, sum: f32) {
  if (column >= params.columns) {
    return;
  }
  let i = row * params.columns + column;
  var value = sum;
  if (row < params.biasRows) {
    value += bias[params.biasOffset + column];
  }
  if (params.hasAddend != 0u) {
    value += addend[params.addendOffset + i];
  }
  out[params.outOffset + i] = activated(value);
}

// The order of activationKinds in src/kernels/elementwise.ts, from 1 on.
fn activated(x: f32) -> f32 {
  switch activation {
    case 1u: { return silu0(x); }
    case 2u: { return tanh0(x); }
    case 3u: { return relu0(x); }
    case 4u: { return gelu0(x); }
    case 5u: { return geluTanh0(x); }
    case 6u: { return softplus0(x); }
    case 7u: { return sin0(x); }
    case 8u: { return elu0(x); }
    default: { return x; }
  }
}
