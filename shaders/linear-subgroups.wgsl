// linear-subgroups: a product by tiles in registers (shaders/linear.wgsl says what is put around this), where subgroups
// have exactly four lanes: GPUs that are a CPU's vector units. There workgroup memory is memory like any other, a
// barrier parks every invocation, and what costs is reading: a subgroup's lanes take neighbouring tiles of the same
// rows and read a row of left each for all four.
//
// Invocation (i, j): the 16 x 8 tile at column 8 i, row 16 j; of two row groups, 8 rows of each. 128 FMAs per 12 values
// read, in blocks of 4 rows and 4 columns. Invocations past the last column stay to read rows for the others.
// The finished tile goes through `finish` in a loop, so that the epilogue is compiled once, not 128 times.
@compute @workgroup_size(4, 2)
fn linear(
  @builtin(global_invocation_id) tile: vec3u,
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  params = uniforms;
  let column = tile.x * 8u;
  let row = tile.y * (16u / GROUPS);
  let rows = params.rows / GROUPS;
  let half = row + select(8u, rows, GROUPS == 2u); // the tile's second eight rows
  let depth = depthOf(workgroup.z, workgroups.z);
  var s00 = mat4x4f(); // rows 0 .. 3, columns 0 .. 3; [row]
  var s01 = mat4x4f();
  var s10 = mat4x4f();
  var s11 = mat4x4f();
  var s20 = mat4x4f();
  var s21 = mat4x4f();
  var s30 = mat4x4f();
  var s31 = mat4x4f();
  for (var k = depth.x; k < depth.y; k += 4u) {
    let b0 = rightBlock(k, column);
    let b1 = rightBlock(k, column + 4u);
    let a0 = sharedLeftBlock(row, k, local.x);
    s00 = outerFour(s00, a0, b0);
    s01 = outerFour(s01, a0, b1);
    let a1 = sharedLeftBlock(row + 4u, k, local.x);
    s10 = outerFour(s10, a1, b0);
    s11 = outerFour(s11, a1, b1);
    let a2 = sharedLeftBlock(half, k, local.x);
    s20 = outerFour(s20, a2, b0);
    s21 = outerFour(s21, a2, b1);
    let a3 = sharedLeftBlock(half + 4u, k, local.x);
    s30 = outerFour(s30, a3, b0);
    s31 = outerFour(s31, a3, b1);
  }

  for (var quad = 0u; quad < 16u; quad++) { // row quad / 2, columns 4 (quad % 2) on; of both halves
    var first: vec4f;
    var second: vec4f;
    switch (quad) {
      case 0u: { first = s00[0]; second = s20[0]; }
      case 1u: { first = s01[0]; second = s21[0]; }
      case 2u: { first = s00[1]; second = s20[1]; }
      case 3u: { first = s01[1]; second = s21[1]; }
      case 4u: { first = s00[2]; second = s20[2]; }
      case 5u: { first = s01[2]; second = s21[2]; }
      case 6u: { first = s00[3]; second = s20[3]; }
      case 7u: { first = s01[3]; second = s21[3]; }
      case 8u: { first = s10[0]; second = s30[0]; }
      case 9u: { first = s11[0]; second = s31[0]; }
      case 10u: { first = s10[1]; second = s30[1]; }
      case 11u: { first = s11[1]; second = s31[1]; }
      case 12u: { first = s10[2]; second = s30[2]; }
      case 13u: { first = s11[2]; second = s31[2]; }
      case 14u: { first = s10[3]; second = s30[3]; }
      default: { first = s11[3]; second = s31[3]; }
    }
    finishQuads(tile.z, row + quad / 2u, 8u, column + quad % 2u * 4u, first, second);
  }

  if (SUMS && tile.y == 0u) {
    finishColumnSums(tile.z, column, depth);
    finishColumnSums(tile.z, column + 4u, depth);
  }
}

// leftBlock, of which each of four lanes reads a line.
fn sharedLeftBlock(row: u32, k: u32, lane: u32) -> mat4x4f {
  if (LEFT_TRANSPOSED) {
    return withinDepth(k, fromLanes(leftFour(k + lane, row, params.rows)));
  }
  return withinDepth(k, transpose(fromLanes(leftFour(row + lane, k, params.depth))));
}

fn fromLanes(line: vec4f) -> mat4x4f {
  return mat4x4f(
    subgroupBroadcast(line, 0u),
    subgroupBroadcast(line, 1u),
    subgroupBroadcast(line, 2u),
    subgroupBroadcast(line, 3u),
  );
}
