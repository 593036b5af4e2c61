// linear-registers: a product by tiles in registers alone (shaders/linear.wgsl says what is put around this). For GPUs
// that are a CPU's vector units: there workgroup memory is memory like any other, and a barrier parks every invocation.
//
// Invocation (i, j): the 16 x 8 tile at column 8 i, row 16 j; of two row groups, 8 rows of each. 128 FMAs per 24 values
// read, in blocks of 4 rows and 4 columns.
// The finished tile goes through `finish` in a loop, so that the epilogue is compiled once, not 128 times.
@compute @workgroup_size(4, 2)
fn linear(
  @builtin(global_invocation_id) tile: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  let column = tile.x * 8u;
  let row = tile.y * (16u / GROUPS);
  let rows = params.rows / GROUPS;
  if (column >= params.columns || row >= rows) {
    return;
  }
  let half = row + select(8u, rows, GROUPS == 2u); // the tile's second eight rows
  let depth = depthOf(tile.z, workgroups.z);
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
    let a0 = leftBlock(row, k);
    s00 = outerFour(s00, a0, b0);
    s01 = outerFour(s01, a0, b1);
    let a1 = leftBlock(row + 4u, k);
    s10 = outerFour(s10, a1, b0);
    s11 = outerFour(s11, a1, b1);
    let a2 = leftBlock(half, k);
    s20 = outerFour(s20, a2, b0);
    s21 = outerFour(s21, a2, b1);
    let a3 = leftBlock(half + 4u, k);
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
