// reduce: out[o, i] = scale * sum (or max, or sum of squares) over r of in[o, r, i]; in [outer, reduced, inner], out [outer, inner].
//
// 256 invocations: `lanes` share each of 256 / lanes outputs that lie side by side. inner = 1: neighbours are lanes and
// read neighbouring r; inner > 1: neighbours are columns. Each lane takes every lanes-th element in order, then a tree in
// workgroup memory joins them: the order is fixed, so equal inputs give equal bits. Rows too short to share take one
// lane, and no barrier. src/kernels/reduce.ts chooses `lanes`.
// Long reductions come in segments, workgroup.z of num_workgroups.z, r from chunk z on; out is then
// [outer, segments, inner], and a second call reduces that (src/backends/webgpu/lower.ts).
override maximum = false;
override squares = false; // a sum of squares
override lanes = 256u; // a power of two, 1 to 256
override neighboursAreLanes = true;

const INVOCATIONS = 256u;

@group(0) @binding(0) var<uniform> params: ReduceParameters;
@group(0) @binding(1) var<storage, read> in: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

var<workgroup> partial: array<f32, INVOCATIONS>; // [lane][column]

@compute @workgroup_size(256)
fn reduce(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let columns = INVOCATIONS / lanes;
  let lane = select(index / columns, index % lanes, neighboursAreLanes);
  let column = select(index % columns, index / lanes, neighboursAreLanes);
  let first = (workgroup.x + workgroup.y * 65535u) * columns;
  let n = first + column; // of outer * inner outputs
  let start = n / params.inner * params.reduced * params.inner + n % params.inner;
  let chunk = (params.reduced + workgroups.z - 1u) / workgroups.z;
  let end = min(params.reduced, (workgroup.z + 1u) * chunk);

  var value = select(0.0, -3.4028234e38, maximum);
  if (n < params.outer * params.inner) {
    for (var r = workgroup.z * chunk + lane; r < end; r += lanes) {
      let next = in[params.inOffset + start + r * params.inner];
      value = joined(value, select(next, next * next, squares));
    }
  }
  if (lanes == 1u) {
    write(n, workgroup.z, workgroups.z, value);
    return;
  }
  partial[lane * columns + column] = value;
  workgroupBarrier();
  for (var half = INVOCATIONS / 2u; half >= columns; half /= 2u) {
    if (index < half) {
      partial[index] = joined(partial[index], partial[index + half]);
    }
    workgroupBarrier();
  }
  if (index < columns) {
    write(first + index, workgroup.z, workgroups.z, partial[index]);
  }
}

fn write(n: u32, segment: u32, segments: u32, value: f32) {
  if (n < params.outer * params.inner) {
    let i = n % params.inner;
    out[params.outOffset + (n / params.inner * segments + segment) * params.inner + i] = params.scale * value;
  }
}

fn joined(a: f32, b: f32) -> f32 {
  if (maximum) {
    return max(a, b);
  }
  return a + b;
}
