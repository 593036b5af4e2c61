// linear-small: as linear-tile, with tiles of 32 x 32: four times as many workgroups for products of few tiles.
//
// Workgroup (i, j): the tile at column 32 i, row 32 j. 64 invocations, as 8 x 8; of two row groups, j counts 16 rows of
// each. Invocation (c, r): a 4 x 4 block, 16 FMAs per 8 values read. Half of the invocations move a 4 x 4 block of left
// from memory, half one of right, 16 of the depth at a time.
const SLICE = 16u;
const STRIDE = 9u; // quads from k to k
const RIGHT = SLICE * STRIDE;

var<workgroup> slices: array<vec4f, 288>; // left [k][row quad], then right [k][column quad]; each SLICE x STRIDE

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
  let moved = select(RIGHT, 0u, movesLeft) + k * STRIDE + quad;
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
    slices[moved] = next[0];
    slices[moved + STRIDE] = next[1];
    slices[moved + 2u * STRIDE] = next[2];
    slices[moved + 3u * STRIDE] = next[3];
    workgroupBarrier();
    if (SUMS) {
      let summed = upTo(min(params.sumsDepth, depth.y), start + k, next);
      columnSums += summed[0] + summed[1] + summed[2] + summed[3];
    }
    sums = fourSteps(sums, block.y, block.x + RIGHT);
    sums = fourSteps(sums, block.y + 4u * STRIDE, block.x + RIGHT + 4u * STRIDE);
    sums = fourSteps(sums, block.y + 8u * STRIDE, block.x + RIGHT + 8u * STRIDE);
    sums = fourSteps(sums, block.y + 12u * STRIDE, block.x + RIGHT + 12u * STRIDE);
  }
  workgroupBarrier();

  if (SUMS && tile.y == 0u) { // right is not transposed: invocations 8 apart of the second half moved the same columns
    slices[index] = columnSums;
    workgroupBarrier();
    let at = 32u + index / 4u;
    let sum = slices[at][index & 3u] + slices[at + 8u][index & 3u] + slices[at + 16u][index & 3u]
      + slices[at + 24u][index & 3u];
    if (index < 32u && column + index < params.columns) {
      finishSum(tile.z, column + index, sum);
    }
    workgroupBarrier();
  }

  let first = block.y * 32u + block.x; // [row][column quad], 32 x 8
  slices[first] = sums[0];
  slices[first + 8u] = sums[1];
  slices[first + 16u] = sums[2];
  slices[first + 24u] = sums[3];
  workgroupBarrier();
  let c = index % 32u;
  if (column + c < params.columns) {
    for (var r = index / 32u; r < 32u / GROUPS; r += 2u) {
      let inGroup = tile.y * (32u / GROUPS) + r;
      if (inGroup < params.rows / GROUPS) {
        let at = r * 8u + c / 4u;
        finish(tile.z, inGroup, column + c, slices[at][c % 4u], slices[(at + 128u) % 256u][c % 4u]);
      }
    }
  }
}

// Four steps of k, from where row quad and column quad of the first lie.
fn fourSteps(sums: mat4x4f, left: u32, right: u32) -> mat4x4f {
  return outer(outer(outer(outer(sums, slices[left], slices[right]),
    slices[left + STRIDE], slices[right + STRIDE]),
    slices[left + 2u * STRIDE], slices[right + 2u * STRIDE]),
    slices[left + 3u * STRIDE], slices[right + 3u * STRIDE]);
}
