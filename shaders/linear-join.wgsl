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

// In order, eight of them on their way from memory at a time.
fn joined(start: u32, width: u32) -> f32 {
  var sum = 0.0;
  for (var k = 0u; k < params.segments; k += 8u) {
    let a = partialAcross(k, start, width);
    let b = partialAcross(k + 4u, start, width);
    sum = sum + a.x + a.y + a.z + a.w + b.x + b.y + b.z + b.w;
  }
  return sum;
}

// Element `at` of segments k .. k + 3, 0 past the last.
fn partialAcross(k: u32, at: u32, width: u32) -> vec4f {
  let i = k * width + at;
  let four = vec4f(partial[i], partial[i + width], partial[i + 2u * width], partial[i + 3u * width]);
  return select(vec4f(), four, vec4u(0u, 1u, 2u, 3u) + k < vec4u(params.segments));
}
