// linear-tile: a product by tiles in workgroup memory (shaders/linear.wgsl says what is put around this).
//
// Workgroup (i, j): the 64 x 64 tile at column 64 i, row 64 j. 64 invocations, as 8 x 8. Of two row groups, j counts 32
// rows of each.
// Invocation (c, r): an 8 x 8 block in registers, 64 FMAs per 16 values read. Its rows are 4 r .. 4 r + 3 and
// 32 + 4 r .. 32 + 4 r + 3 of the tile, its columns likewise: so neighbours read neighbouring quads, no two addresses
// of one read meet in one memory bank, and of two groups an invocation holds the same elements.
// depth goes by in slices of 16, staged in 8.5 KiB of the 16 KiB workgroup memory that every device has. The next
// slice is on its way into registers while one is worked on.
// Staging: an invocation moves a 4 x 4 block of each matrix, read by quads along the rows in memory, transposed in
// registers where k lies along them.
// The finished tile goes out through workgroup memory in two rounds: a row at a time is written, in order, and the
// epilogue is compiled once, not 64 times.
const SLICE = 16u;
const STRIDE = 17u; // quads from k to k: odd, or the transposing stores would meet one memory bank 4 times

// An invocation's 8 x 8 sums: s01 is of its first four rows and last four columns; [row].
struct Block {
  s00: mat4x4f,
  s01: mat4x4f,
  s10: mat4x4f,
  s11: mat4x4f,
}

// Left [k][row quad], then right [k][column quad]. Of two axes, of which one is known in what follows: devices clamp an
// index into workgroup memory, and of a single axis that was a tenth of all instructions.
var<workgroup> slices: array<array<vec4f, STRIDE>, 2u * SLICE>;

@compute @workgroup_size(8, 8)
fn linear(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(num_workgroups) tiles: vec3u,
  @builtin(local_invocation_id) block: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  // Which 4 x 4 block of a slice this invocation moves: along k four neighbours share a row of memory, else sixteen.
  let leftK = select(index & 3u, index >> 4u, LEFT_TRANSPOSED) * 4u;
  let leftQuads = select(index >> 2u, index & 15u, LEFT_TRANSPOSED);
  let rightK = select(index >> 4u, index & 3u, RIGHT_TRANSPOSED) * 4u;
  let rightQuads = select(index & 15u, index >> 2u, RIGHT_TRANSPOSED);
  let leftRow = rowOfBlock(tile.y, leftQuads, 16u);
  let column = tile.x * 64u;
  let depth = depthOf(tile.z, tiles.z);

  var sums = Block();
  var columnSums = vec4f(); // of what this invocation moves
  var leftNext = leftBlock(leftRow, depth.x + leftK);
  var rightNext = rightBlock(depth.x + rightK, column + rightQuads * 4u);
  for (var start = depth.x; start < depth.y; start += SLICE) {
    slices[leftK][leftQuads] = leftNext[0];
    slices[leftK + 1u][leftQuads] = leftNext[1];
    slices[leftK + 2u][leftQuads] = leftNext[2];
    slices[leftK + 3u][leftQuads] = leftNext[3];
    slices[SLICE + rightK][rightQuads] = rightNext[0];
    slices[SLICE + rightK + 1u][rightQuads] = rightNext[1];
    slices[SLICE + rightK + 2u][rightQuads] = rightNext[2];
    slices[SLICE + rightK + 3u][rightQuads] = rightNext[3];
    workgroupBarrier(); // the slices are written
    if (SUMS) {
      let summed = upTo(min(params.sumsDepth, depth.y), start + rightK, rightNext);
      columnSums += summed[0] + summed[1] + summed[2] + summed[3];
    }
    leftNext = leftBlock(leftRow, start + SLICE + leftK); // after the last slice: not used
    rightNext = rightBlock(start + SLICE + rightK, column + rightQuads * 4u);
    sums = fourSteps(sums, 0u, block.y, block.x);
    sums = fourSteps(sums, 4u, block.y, block.x);
    sums = fourSteps(sums, 8u, block.y, block.x);
    sums = fourSteps(sums, 12u, block.y, block.x);
    workgroupBarrier(); // the slices are read
  }

  if (SUMS && tile.y == 0u) { // right is not transposed: invocations 16 apart moved the same columns
    slices[index >> 4u][index & 15u] = columnSums;
    workgroupBarrier();
    let quad = index >> 2u;
    let part = index & 3u;
    let sum = slices[0][quad][part] + slices[1][quad][part] + slices[2][quad][part] + slices[3][quad][part];
    if (column + index < params.columns) {
      finishSum(tile.z, column + index, sum);
    }
    workgroupBarrier();
  }

  // [row][column quad], 32 x 16. Of one group: rows 0 .. 31 of the tile, then 32 .. 63. Of two: the first two rows of
  // every four, then the last two; first those of group 0, then those of group 1.
  let first = select(block.y * 4u, block.y * 2u, GROUPS == 2u);
  for (var half = 0u; half < 2u; half++) {
    if (GROUPS == 1u && half == 0u) {
      slices[first][block.x] = sums.s00[0];
      slices[first][block.x + 8u] = sums.s01[0];
      slices[first + 1u][block.x] = sums.s00[1];
      slices[first + 1u][block.x + 8u] = sums.s01[1];
      slices[first + 2u][block.x] = sums.s00[2];
      slices[first + 2u][block.x + 8u] = sums.s01[2];
      slices[first + 3u][block.x] = sums.s00[3];
      slices[first + 3u][block.x + 8u] = sums.s01[3];
    } else if (GROUPS == 1u) {
      slices[first][block.x] = sums.s10[0];
      slices[first][block.x + 8u] = sums.s11[0];
      slices[first + 1u][block.x] = sums.s10[1];
      slices[first + 1u][block.x + 8u] = sums.s11[1];
      slices[first + 2u][block.x] = sums.s10[2];
      slices[first + 2u][block.x + 8u] = sums.s11[2];
      slices[first + 3u][block.x] = sums.s10[3];
      slices[first + 3u][block.x + 8u] = sums.s11[3];
    } else if (half == 0u) {
      slices[first][block.x] = sums.s00[0];
      slices[first][block.x + 8u] = sums.s01[0];
      slices[first + 1u][block.x] = sums.s00[1];
      slices[first + 1u][block.x + 8u] = sums.s01[1];
      slices[first + 16u][block.x] = sums.s10[0];
      slices[first + 16u][block.x + 8u] = sums.s11[0];
      slices[first + 17u][block.x] = sums.s10[1];
      slices[first + 17u][block.x + 8u] = sums.s11[1];
    } else {
      slices[first][block.x] = sums.s00[2];
      slices[first][block.x + 8u] = sums.s01[2];
      slices[first + 1u][block.x] = sums.s00[3];
      slices[first + 1u][block.x + 8u] = sums.s01[3];
      slices[first + 16u][block.x] = sums.s10[2];
      slices[first + 16u][block.x + 8u] = sums.s11[2];
      slices[first + 17u][block.x] = sums.s10[3];
      slices[first + 17u][block.x + 8u] = sums.s11[3];
    }
    workgroupBarrier();
    // An invocation takes a column; neighbours write neighbours.
    let row = tile.y * (64u / GROUPS) + half * select(32u, 2u, GROUPS == 2u);
    if (column + index < params.columns) {
      let below = params.rows / GROUPS - min(row, params.rows / GROUPS);
      let count = min(select(below, below / 4u * 2u + min(below % 4u, 2u), GROUPS == 2u), 32u / GROUPS);
      for (var r = 0u; r < count; r++) {
        let inGroup = row + select(r, r / 2u * 4u + r % 2u, GROUPS == 2u);
        let quad = index / 4u;
        let part = index % 4u;
        finish(tile.z, inGroup, column + index, slices[r][quad][part], slices[(r + 16u) % 32u][quad][part]);
      }
    }
    workgroupBarrier();
  }
}

// Four steps from k on, of row quads and column quads of which these are the first.
fn fourSteps(sums: Block, k: u32, left: u32, right: u32) -> Block {
  return step(step(step(step(sums, k, left, right), k + 1u, left, right), k + 2u, left, right), k + 3u, left, right);
}

fn step(sums: Block, k: u32, left: u32, right: u32) -> Block {
  let a0 = slices[k][left];
  let a1 = slices[k][left + 8u];
  let b0 = slices[SLICE + k][right];
  let b1 = slices[SLICE + k][right + 8u];
  return Block(outer(sums.s00, a0, b0), outer(sums.s01, a0, b1), outer(sums.s10, a1, b0), outer(sums.s11, a1, b1));
}
