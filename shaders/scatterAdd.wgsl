// scatterAdd: out[n] = sum over m with indices[m] = n of values[m], in order of m: no atomics, so equal inputs give
// equal bits. One invocation per element of out looks at every index.
@group(0) @binding(0) var<uniform> params: ScatterAddParameters;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn scatterAdd(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let i = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  if (i >= params.rows * params.width) {
    return;
  }
  let row = i / params.width;
  let column = i % params.width;
  var sum = 0.0;
  for (var m = 0u; m < params.count; m++) {
    if (indices[params.indicesOffset + m] == row) {
      sum += values[params.valuesOffset + m * params.width + column];
    }
  }
  out[params.outOffset + i] = sum;
}
