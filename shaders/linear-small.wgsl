// linear-small: as linear-tile, with tiles of 32 x 32: four times as many workgroups for products of few tiles.
//
// Workgroup (i, j): the tile at column 32 i, row 32 j. 64 invocations, as 8 x 8; of two row groups, j counts 16 rows of
// each. Invocation (c, r): a 4 x 4 block, 16 FMAs per 8 values read. Half of the invocations move a 4 x 4 block of left
// from memory, half one of right, 16 of the depth at a time.
const SLICE = 16u;
const STRIDE = 9u; // quads from k to k

// Left [k][row quad], then right [k][column quad]. Of two axes, of which one is known in what follows: devices clamp an
// index into workgroup memory, and of a single axis that was a seventh of all instructions.
var<workgroup> slices: array<array<vec4f, STRIDE>, 2u * SLICE>;

@compute @workgroup_size(8, 8)
fn linear(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(num_workgroups) tiles: vec3u,
  @builtin(local_invocation_id) block: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let movesLeft = index < 32u;
  let acrossK = select(RIGHT_TRANSPOSED, !LEFT_TRANSPOSED, movesLeft); // k lies along the rows in memory
  let part = index & 31u;
  let k = select(part >> 3u, part & 3u, acrossK) * 4u;
  let quad = select(part & 7u, part >> 2u, acrossK);
  let moved = select(SLICE, 0u, movesLeft) + k;
  let leftRow = rowOfBlock(tile.y, quad, 8u);
  let column = tile.x * 32u;
  let depth = depthOf(tile.z, tiles.z);

  var sums = mat4x4f(); // [row]
  var columnSums = vec4f(); // of what this invocation moves
  for (var start = depth.x; start < depth.y; start += SLICE) {
    var next: mat4x4f;
    if (movesLeft) {
      next = leftBlock(leftRow, start + k);
    } else {
      next = rightBlock(start + k, column + quad * 4u);
    }
    workgroupBarrier(); // the slices before are read
    slices[moved][quad] = next[0];
    slices[moved + 1u][quad] = next[1];
    slices[moved + 2u][quad] = next[2];
    slices[moved + 3u][quad] = next[3];
    workgroupBarrier();
    if (SUMS) {
      let summed = upTo(min(params.sumsDepth, depth.y), start + k, next);
      columnSums += summed[0] + summed[1] + summed[2] + summed[3];
    }
    sums = fourSteps(sums, 0u, block.y, block.x);
    sums = fourSteps(sums, 4u, block.y, block.x);
    sums = fourSteps(sums, 8u, block.y, block.x);
    sums = fourSteps(sums, 12u, block.y, block.x);
  }
  workgroupBarrier();

  if (SUMS && tile.y == 0u) { // right is not transposed: invocations 8 apart of the second half moved the same columns
    slices[index / 8u][index % 8u] = columnSums;
    workgroupBarrier();
    let quads = index / 4u % 8u;
    let sum = slices[4][quads][index & 3u] + slices[5][quads][index & 3u] + slices[6][quads][index & 3u]
      + slices[7][quads][index & 3u];
    if (index < 32u && column + index < params.columns) {
      finishSum(tile.z, column + index, sum);
    }
    workgroupBarrier();
  }

  // [row][column quad], 32 x 8
  slices[block.y * 4u][block.x] = sums[0];
  slices[block.y * 4u + 1u][block.x] = sums[1];
  slices[block.y * 4u + 2u][block.x] = sums[2];
  slices[block.y * 4u + 3u][block.x] = sums[3];
  workgroupBarrier();
  let c = index % 32u;
  if (column + c < params.columns) {
    for (var r = index / 32u; r < 32u / GROUPS; r += 2u) {
      let inGroup = tile.y * (32u / GROUPS) + r;
      if (inGroup < params.rows / GROUPS) {
        finish(tile.z, inGroup, column + c, slices[r][c / 4u][c % 4u], slices[(r + 16u) % 32u][c / 4u][c % 4u]);
      }
    }
  }
}

// Four steps from k on, of a row quad and a column quad.
fn fourSteps(sums: mat4x4f, k: u32, left: u32, right: u32) -> mat4x4f {
  return outer(outer(outer(outer(sums, slices[k][left], slices[SLICE + k][right]),
    slices[k + 1u][left], slices[SLICE + k + 1u][right]),
    slices[k + 2u][left], slices[SLICE + k + 2u][right]),
    slices[k + 3u][left], slices[SLICE + k + 3u][right]);
}
