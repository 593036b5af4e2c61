// reduce: out[o, i] = scale * sum (or max) over r of in[o, r, i]; in [outer, reduced, inner], out [outer, inner].
//
// 256 invocations. inner = 1: all of them share an output, neighbours reading neighbours. inner > 1: they are 64
// columns times 4 lanes. Each adds up its elements in order, then a tree in workgroup memory joins them: the order
// is fixed, so equal inputs give equal bits.
// Long reductions come in segments, workgroup.z of num_workgroups.z, r from chunk z on; out is then
// [outer, segments, inner], and a second call reduces that (src/backends/webgpu/lower.ts).
override maximum = false;
override columns = 64u; // 1 when inner = 1

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
  let group = workgroup.x + workgroup.y * 65535u;
  let groupsPerOuter = (params.inner + columns - 1u) / columns;
  let o = group / groupsPerOuter; // past the last: reads nothing, writes nothing
  let i = group % groupsPerOuter * columns + index % columns;
  let chunk = (params.reduced + workgroups.z - 1u) / workgroups.z;
  let end = min(params.reduced, (workgroup.z + 1u) * chunk);
  let lanes = INVOCATIONS / columns;
  let exists = o < params.outer && i < params.inner;

  var value = select(0.0, -3.4028234e38, maximum);
  if (exists) {
    for (var r = workgroup.z * chunk + index / columns; r < end; r += lanes) {
      value = joined(value, in[params.inOffset + (o * params.reduced + r) * params.inner + i]);
    }
  }
  partial[index] = value;
  workgroupBarrier();
  for (var half = INVOCATIONS / 2u; half >= columns; half /= 2u) {
    if (index < half) {
      partial[index] = joined(partial[index], partial[index + half]);
    }
    workgroupBarrier();
  }
  if (exists && index < columns) {
    out[params.outOffset + (o * workgroups.z + workgroup.z) * params.inner + i] = params.scale * partial[index];
  }
}

fn joined(a: f32, b: f32) -> f32 {
  if (maximum) {
    return max(a, b);
  }
  return a + b;
}
