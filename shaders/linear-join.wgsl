// linear-join: adds up what segments of the depth left, in order, and finishes the product (shaders/linear.wgsl says
// what is put around this). One invocation per element of a group, and one per column sum.
//   partial  [segments, rows, columns], then [segments, columns]: the column sums
@compute @workgroup_size(64)
fn linear(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let i = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  let size = params.rows * params.columns;
  let count = size / GROUPS;
  if (i < count) {
    let first = joined(i, size);
    var second = 0.0;
    if (GROUPS == 2u) {
      second = joined(i + count, size);
    }
    finish(0u, i / params.columns, i % params.columns, first, second);
  } else if (SUMS && i < count + params.columns) {
    finishSum(0u, i - count, joined(params.segments * size + i - count, params.columns));
  }
}

fn joined(start: u32, stride: u32) -> f32 {
  var sum = 0.0;
  for (var segment = 0u; segment < params.segments; segment++) {
    sum += partial[start + segment * stride];
  }
  return sum;
}
