// linear-blocks: as linear-tile, for what networks multiply: the tile is as wide as ACROSS says, of 64 invocations in all.
//
//   ACROSS  8 (linear-square): 64 x 64 a workgroup; 4 (linear-narrow): 128 x 32, for up to 32 columns, of which a square
//           tile would waste half.
// Invocation (c, r): an 8 x 8 block, 64 FMAs per 16 values read; its rows are 4 r .. 4 r + 3 and as many in the tile's
// other half, its columns likewise. Sums go in linear-tile's order, so bits are the same.
// Workgroup memory has two axes, of which one is known where it is read: an index into a single axis is clamped for each
// step of k. On AMD's GPUs that took registers which hold more invocations back; so both forms are there, and a clock decides.
const SLICE = 16u;
const DOWN = 64u / ACROSS;
const LEFT_QUADS = 2u * DOWN; // of a step of k
const RIGHT_QUADS = 2u * ACROSS;
const LINE = 32u; // quads of a finished tile beside each other

// An invocation's 8 x 8 sums: s01 is of its first four rows and last four columns; [row].
struct Block {
  s00: mat4x4f,
  s01: mat4x4f,
  s10: mat4x4f,
  s11: mat4x4f,
}

// [k][row quad, then column quad]; of odd length, or transposing stores would meet one memory bank 4 times.
var<workgroup> slices: array<array<vec4f, LEFT_QUADS + RIGHT_QUADS + 1u>, SLICE>;

@compute @workgroup_size(ACROSS, DOWN)
fn linear(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(num_workgroups) tiles: vec3u,
  @builtin(local_invocation_id) block: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let leftK = select(index & 3u, index >> 4u, LEFT_TRANSPOSED) * 4u;
  let leftQuads = select(index >> 2u, index & 15u, LEFT_TRANSPOSED);
  let movesRight = index < 8u * ACROSS; // all do, or half
  let rightK = select(index / RIGHT_QUADS, index & 3u, RIGHT_TRANSPOSED) * 4u;
  let rightQuads = select(index % RIGHT_QUADS, index >> 2u, RIGHT_TRANSPOSED);
  let rightAt = LEFT_QUADS + rightQuads;
  let leftRow = rowOfBlock(tile.y, leftQuads, LEFT_QUADS);
  let lowerRow = rowOfBlock(tile.y, leftQuads + 16u, LEFT_QUADS); // where there are more than 16 quads
  let column = tile.x * 8u * ACROSS;
  let depth = depthOf(tile.z, tiles.z);

  var sums = Block();
  var columnSums = vec4f(); // of what this invocation moves
  var leftNext = leftBlock(leftRow, depth.x + leftK);
  var lowerNext: mat4x4f;
  if (LEFT_QUADS > 16u) {
    lowerNext = leftBlock(lowerRow, depth.x + leftK);
  }
  var rightNext: mat4x4f;
  if (movesRight) {
    rightNext = rightBlock(depth.x + rightK, column + rightQuads * 4u);
  }
  for (var start = depth.x; start < depth.y; start += SLICE) {
    slices[leftK][leftQuads] = leftNext[0];
    slices[leftK + 1u][leftQuads] = leftNext[1];
    slices[leftK + 2u][leftQuads] = leftNext[2];
    slices[leftK + 3u][leftQuads] = leftNext[3];
    if (LEFT_QUADS > 16u) {
      slices[leftK][leftQuads + 16u] = lowerNext[0];
      slices[leftK + 1u][leftQuads + 16u] = lowerNext[1];
      slices[leftK + 2u][leftQuads + 16u] = lowerNext[2];
      slices[leftK + 3u][leftQuads + 16u] = lowerNext[3];
    }
    if (movesRight) {
      slices[rightK][rightAt] = rightNext[0];
      slices[rightK + 1u][rightAt] = rightNext[1];
      slices[rightK + 2u][rightAt] = rightNext[2];
      slices[rightK + 3u][rightAt] = rightNext[3];
    }
    workgroupBarrier(); // the slices are written
    if (SUMS) {
      let summed = upTo(min(params.sumsDepth, depth.y), start + rightK, rightNext);
      columnSums += summed[0] + summed[1] + summed[2] + summed[3];
    }
    leftNext = leftBlock(leftRow, start + SLICE + leftK); // after the last slice: not used
    if (LEFT_QUADS > 16u) {
      lowerNext = leftBlock(lowerRow, start + SLICE + leftK);
    }
    if (movesRight) {
      rightNext = rightBlock(start + SLICE + rightK, column + rightQuads * 4u);
    }
    sums = fourSteps(sums, 0u, block.y, LEFT_QUADS + block.x);
    sums = fourSteps(sums, 4u, block.y, LEFT_QUADS + block.x);
    sums = fourSteps(sums, 8u, block.y, LEFT_QUADS + block.x);
    sums = fourSteps(sums, 12u, block.y, LEFT_QUADS + block.x);
    workgroupBarrier(); // the slices are read
  }

  if (SUMS && tile.y == 0u) { // right is not transposed: of each column quad four invocations moved parts, RIGHT_QUADS apart
    if (movesRight) {
      slices[index / RIGHT_QUADS][index % RIGHT_QUADS] = columnSums;
    }
    workgroupBarrier();
    let quad = (index >> 2u) % RIGHT_QUADS;
    let part = index & 3u;
    let sum = slices[0][quad][part] + slices[1][quad][part] + slices[2][quad][part] + slices[3][quad][part];
    if (movesRight && column + index < params.columns) {
      finishSum(tile.z, column + index, sum);
    }
    workgroupBarrier();
  }

  // The tile goes out in two rounds of as many rows as DOWN has invocations times 4: of one group the upper, then the lower
  // half; of two the first two rows of every four, then the last two, those of group 0 before those of group 1.
  for (var half = 0u; half < 2u; half++) {
    if (GROUPS == 1u) {
      let line = block.y * 4u;
      keepRow(line, block.x, select(sums.s00[0], sums.s10[0], half == 1u), select(sums.s01[0], sums.s11[0], half == 1u));
      keepRow(line + 1u, block.x, select(sums.s00[1], sums.s10[1], half == 1u), select(sums.s01[1], sums.s11[1], half == 1u));
      keepRow(line + 2u, block.x, select(sums.s00[2], sums.s10[2], half == 1u), select(sums.s01[2], sums.s11[2], half == 1u));
      keepRow(line + 3u, block.x, select(sums.s00[3], sums.s10[3], half == 1u), select(sums.s01[3], sums.s11[3], half == 1u));
    } else {
      let line = block.y * 2u;
      keepRow(line, block.x, select(sums.s00[0], sums.s00[2], half == 1u), select(sums.s01[0], sums.s01[2], half == 1u));
      keepRow(line + 1u, block.x, select(sums.s00[1], sums.s00[3], half == 1u), select(sums.s01[1], sums.s01[3], half == 1u));
      let below = line + 2u * DOWN;
      keepRow(below, block.x, select(sums.s10[0], sums.s10[2], half == 1u), select(sums.s11[0], sums.s11[2], half == 1u));
      keepRow(below + 1u, block.x, select(sums.s10[1], sums.s10[3], half == 1u), select(sums.s11[1], sums.s11[3], half == 1u));
    }
    workgroupBarrier();
    // Invocations take columns, and rows in turns where there are fewer columns; neighbours write neighbours.
    let c = index % (8u * ACROSS);
    let row = tile.y * (8u * DOWN / GROUPS) + half * select(4u * DOWN, 2u, GROUPS == 2u);
    if (column + c < params.columns) {
      let below = params.rows / GROUPS - min(row, params.rows / GROUPS);
      let count = min(select(below, below / 4u * 2u + min(below % 4u, 2u), GROUPS == 2u), 4u * DOWN / GROUPS);
      for (var r = index / (8u * ACROSS); r < count; r += DOWN / 8u) {
        let inGroup = row + select(r, r / 2u * 4u + r % 2u, GROUPS == 2u);
        finish(tile.z, inGroup, column + c, keptAt(r, c), keptAt((r + 2u * DOWN) % (4u * DOWN), c));
      }
    }
    workgroupBarrier();
  }
}

// Two quads of a row of the round, from an invocation's column quad on.
fn keepRow(row: u32, quad: u32, first: vec4f, second: vec4f) {
  let at = row * RIGHT_QUADS + quad;
  slices[at / LINE][at % LINE] = first;
  slices[at / LINE][at % LINE + ACROSS] = second;
}

fn keptAt(row: u32, column: u32) -> f32 {
  let at = row * RIGHT_QUADS + column / 4u;
  return slices[at / LINE][at % LINE][column % 4u];
}

// Four steps of k, of a row quad and a column quad.
fn fourSteps(sums: Block, k: u32, left: u32, right: u32) -> Block {
  return step(step(step(step(sums, k, left, right), k + 1u, left, right), k + 2u, left, right), k + 3u, left, right);
}

fn step(sums: Block, k: u32, left: u32, right: u32) -> Block {
  let a0 = slices[k][left];
  let a1 = slices[k][left + DOWN];
  let b0 = slices[k][right];
  let b1 = slices[k][right + ACROSS];
  return Block(outer(sums.s00, a0, b0), outer(sums.s01, a0, b1), outer(sums.s10, a1, b0), outer(sums.s11, a1, b1));
}
