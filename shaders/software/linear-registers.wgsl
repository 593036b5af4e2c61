// linear-registers: a product by tiles in registers alone (shaders/linear.wgsl says what is put around this). For GPUs
// that are a CPU's vector units, with subgroups that linear-panel does not suit.
//
// Invocation (i, j): the 8 x 8 tile at column 8 i, row 8 j; of two row groups, 4 rows of each. 64 FMAs per 16 values
// read, in blocks of 4 rows and 4 columns.
// The finished tile goes through `finish` in a loop, so that the epilogue is compiled once, not 64 times.
@compute @workgroup_size(4, 2)
fn linear(
  @builtin(global_invocation_id) tile: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  params = uniforms;
  let column = tile.x * 8u;
  let row = tile.y * (8u / GROUPS);
  let rows = params.rows / GROUPS;
  if (column >= params.columns || row >= rows) {
    return;
  }
  let half = row + select(4u, rows, GROUPS == 2u); // the tile's second four rows
  let depth = depthOf(tile.z, workgroups.z);
  var s00 = mat4x4f(); // rows 0 .. 3, columns 0 .. 3; [row]
  var s01 = mat4x4f();
  var s10 = mat4x4f();
  var s11 = mat4x4f();
  for (var k = depth.x; k < depth.y; k += 4u) {
    let b0 = rightBlock(k, column);
    let b1 = rightBlock(k, column + 4u);
    let a0 = leftBlock(row, k);
    s00 = outerFour(s00, a0, b0);
    s01 = outerFour(s01, a0, b1);
    let a1 = leftBlock(half, k);
    s10 = outerFour(s10, a1, b0);
    s11 = outerFour(s11, a1, b1);
  }

  for (var quad = 0u; quad < 8u; quad++) { // row quad / 2, columns 4 (quad % 2) on; of both halves
    var first: vec4f;
    var second: vec4f;
    switch (quad) {
      case 0u: { first = s00[0]; second = s10[0]; }
      case 1u: { first = s01[0]; second = s11[0]; }
      case 2u: { first = s00[1]; second = s10[1]; }
      case 3u: { first = s01[1]; second = s11[1]; }
      case 4u: { first = s00[2]; second = s10[2]; }
      case 5u: { first = s01[2]; second = s11[2]; }
      case 6u: { first = s00[3]; second = s10[3]; }
      default: { first = s01[3]; second = s11[3]; }
    }
    finishQuads(tile.z, row + quad / 2u, 4u, column + quad % 2u * 4u, first, second);
  }

  if (SUMS && tile.y == 0u) {
    finishColumnSums(tile.z, column, depth);
    finishColumnSums(tile.z, column + 4u, depth);
  }
}
