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
const RIGHT = SLICE * STRIDE;

// An invocation's 8 x 8 sums: s01 is of its first four rows and last four columns; [row].
struct Block {
  s00: mat4x4f,
  s01: mat4x4f,
  s10: mat4x4f,
  s11: mat4x4f,
}

var<workgroup> slices: array<vec4f, 544>; // left [k][row quad], then right [k][column quad]; each SLICE x STRIDE

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
  let leftAt = leftK * STRIDE + leftQuads;
  let rightAt = RIGHT + rightK * STRIDE + rightQuads;

  var sums = Block();
  var columnSums = vec4f(); // of what this invocation moves
  var leftNext = leftBlock(leftRow, depth.x + leftK);
  var rightNext = rightBlock(depth.x + rightK, column + rightQuads * 4u);
  for (var start = depth.x; start < depth.y; start += SLICE) {
    slices[leftAt] = leftNext[0];
    slices[leftAt + STRIDE] = leftNext[1];
    slices[leftAt + 2u * STRIDE] = leftNext[2];
    slices[leftAt + 3u * STRIDE] = leftNext[3];
    slices[rightAt] = rightNext[0];
    slices[rightAt + STRIDE] = rightNext[1];
    slices[rightAt + 2u * STRIDE] = rightNext[2];
    slices[rightAt + 3u * STRIDE] = rightNext[3];
    workgroupBarrier(); // the slices are written
    if (SUMS) {
      let summed = upTo(min(params.sumsDepth, depth.y), start + rightK, rightNext);
      columnSums += summed[0] + summed[1] + summed[2] + summed[3];
    }
    leftNext = leftBlock(leftRow, start + SLICE + leftK); // after the last slice: not used
    rightNext = rightBlock(start + SLICE + rightK, column + rightQuads * 4u);
    sums = fourSteps(sums, block.y, block.x + RIGHT);
    sums = fourSteps(sums, block.y + 4u * STRIDE, block.x + RIGHT + 4u * STRIDE);
    sums = fourSteps(sums, block.y + 8u * STRIDE, block.x + RIGHT + 8u * STRIDE);
    sums = fourSteps(sums, block.y + 12u * STRIDE, block.x + RIGHT + 12u * STRIDE);
    workgroupBarrier(); // the slices are read
  }

  if (SUMS && tile.y == 0u) { // right is not transposed: invocations 16 apart moved the same columns
    slices[index] = columnSums;
    workgroupBarrier();
    let quad = index >> 2u;
    let part = index & 3u;
    let sum = slices[quad][part] + slices[quad + 16u][part] + slices[quad + 32u][part] + slices[quad + 48u][part];
    if (column + index < params.columns) {
      finishSum(tile.z, column + index, sum);
    }
    workgroupBarrier();
  }

  // [row][column quad], 32 x 16. Of one group: rows 0 .. 31 of the tile, then 32 .. 63. Of two: the first two rows of
  // every four, then the last two; first those of group 0, then those of group 1.
  let first = block.x + select(block.y * 4u, block.y * 2u, GROUPS == 2u) * 16u;
  for (var half = 0u; half < 2u; half++) {
    if (GROUPS == 1u && half == 0u) {
      slices[first] = sums.s00[0];
      slices[first + 8u] = sums.s01[0];
      slices[first + 16u] = sums.s00[1];
      slices[first + 24u] = sums.s01[1];
      slices[first + 32u] = sums.s00[2];
      slices[first + 40u] = sums.s01[2];
      slices[first + 48u] = sums.s00[3];
      slices[first + 56u] = sums.s01[3];
    } else if (GROUPS == 1u) {
      slices[first] = sums.s10[0];
      slices[first + 8u] = sums.s11[0];
      slices[first + 16u] = sums.s10[1];
      slices[first + 24u] = sums.s11[1];
      slices[first + 32u] = sums.s10[2];
      slices[first + 40u] = sums.s11[2];
      slices[first + 48u] = sums.s10[3];
      slices[first + 56u] = sums.s11[3];
    } else if (half == 0u) {
      slices[first] = sums.s00[0];
      slices[first + 8u] = sums.s01[0];
      slices[first + 16u] = sums.s00[1];
      slices[first + 24u] = sums.s01[1];
      slices[first + 256u] = sums.s10[0];
      slices[first + 264u] = sums.s11[0];
      slices[first + 272u] = sums.s10[1];
      slices[first + 280u] = sums.s11[1];
    } else {
      slices[first] = sums.s00[2];
      slices[first + 8u] = sums.s01[2];
      slices[first + 16u] = sums.s00[3];
      slices[first + 24u] = sums.s01[3];
      slices[first + 256u] = sums.s10[2];
      slices[first + 264u] = sums.s11[2];
      slices[first + 272u] = sums.s10[3];
      slices[first + 280u] = sums.s11[3];
    }
    workgroupBarrier();
    // An invocation takes a column; neighbours write neighbours.
    let row = tile.y * (64u / GROUPS) + half * select(32u, 2u, GROUPS == 2u);
    if (column + index < params.columns) {
      let below = params.rows / GROUPS - min(row, params.rows / GROUPS);
      let count = min(select(below, below / 4u * 2u + min(below % 4u, 2u), GROUPS == 2u), 32u / GROUPS);
      for (var r = 0u; r < count; r++) {
        let inGroup = row + select(r, r / 2u * 4u + r % 2u, GROUPS == 2u);
        let at = r * 16u + index / 4u;
        finish(tile.z, inGroup, column + index, slices[at][index % 4u], slices[(at + 256u) % 512u][index % 4u]);
      }
    }
    workgroupBarrier();
  }
}

// Four steps of k, from where row quad and column quad of the first lie.
fn fourSteps(sums: Block, left: u32, right: u32) -> Block {
  return step(step(step(step(sums, left, right),
    left + STRIDE, right + STRIDE),
    left + 2u * STRIDE, right + 2u * STRIDE),
    left + 3u * STRIDE, right + 3u * STRIDE);
}

fn step(sums: Block, left: u32, right: u32) -> Block {
  let a0 = slices[left];
  let a1 = slices[left + 8u];
  let b0 = slices[right];
  let b1 = slices[right + 8u];
  return Block(outer(sums.s00, a0, b0), outer(sums.s01, a0, b1), outer(sums.s10, a1, b0), outer(sums.s11, a1, b1));
}
