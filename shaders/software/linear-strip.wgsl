// linear-strip: as linear-registers, with a small tile: products of few rows or columns, of which a large tile would
// waste most.
//
// Invocation (i, j): the 8 x 4 tile at column 4 i, row 8 j; of two row groups, 4 rows of each.
@compute @workgroup_size(4, 2)
fn linear(
  @builtin(global_invocation_id) tile: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
) {
  params = uniforms;
  let column = tile.x * 4u;
  let row = tile.y * (8u / GROUPS);
  let rows = params.rows / GROUPS;
  if (column >= params.columns || row >= rows) {
    return;
  }
  let half = row + select(4u, rows, GROUPS == 2u); // the tile's second four rows
  let depth = depthOf(tile.z, workgroups.z);
  var s0 = mat4x4f(); // [row]
  var s1 = mat4x4f();
  for (var k = depth.x; k < depth.y; k += 4u) {
    let b = rightBlock(k, column);
    s0 = outerFour(s0, leftBlock(row, k), b);
    s1 = outerFour(s1, leftBlock(half, k), b);
  }

  for (var r = 0u; r < 4u; r++) {
    var first: vec4f;
    var second: vec4f;
    switch (r) {
      case 0u: { first = s0[0]; second = s1[0]; }
      case 1u: { first = s0[1]; second = s1[1]; }
      case 2u: { first = s0[2]; second = s1[2]; }
      default: { first = s0[3]; second = s1[3]; }
    }
    finishQuads(tile.z, row + r, 4u, column, first, second);
  }

  if (SUMS && tile.y == 0u) {
    finishColumnSums(tile.z, column, depth);
  }
}
