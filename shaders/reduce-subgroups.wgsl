// reduce-subgroups: reduce for inner = 1, its lanes joined by shuffles (shaders/reduce.wgsl says what it computes).
//
// 256 invocations: `lanes` neighbours share each of 256 / lanes outputs. Those of a subgroup join by halves, without a
// barrier; where an output has several subgroups, its first invocation adds theirs up. The order is fixed for a device,
// whose compiler decides the size of subgroups once. Subgroups are runs of neighbours, as devices make them of
// workgroups along one axis.
// In front comes what turns subgroups on (src/backends/webgpu/declarations.ts).
override maximum = false;
override squares = false; // a sum of squares
override lanes = 256u; // a power of two, 2 to 256

const INVOCATIONS = 256u;

@group(0) @binding(0) var<uniform> params: ReduceParameters;
@group(0) @binding(1) var<storage, read> in: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

var<workgroup> partial: array<f32, 64>; // by subgroup: none is smaller than 4

@compute @workgroup_size(256)
fn reduce(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_size) size: u32,
) {
  let lane = index % lanes;
  let n = (workgroup.x + workgroup.y * 65535u) * (INVOCATIONS / lanes) + index / lanes; // of outer outputs
  let chunk = (params.reduced + workgroups.z - 1u) / workgroups.z;
  let end = min(params.reduced, (workgroup.z + 1u) * chunk);
  var value = select(0.0, -3.4028234e38, maximum);
  if (n < params.outer) {
    for (var r = workgroup.z * chunk + lane; r < end; r += lanes) {
      let next = in[params.inOffset + n * params.reduced + r];
      value = joined(value, select(next, next * next, squares));
    }
  }
  for (var distance = 1u; distance < min(size, lanes); distance *= 2u) {
    value = joined(value, subgroupShuffleXor(value, distance));
  }
  if (index % size == 0u) {
    partial[index / size] = value;
  }
  workgroupBarrier();
  if (lane == 0u && n < params.outer) {
    for (var other = size; other < lanes; other += size) {
      value = joined(value, partial[(index + other) / size]);
    }
    out[params.outOffset + n * workgroups.z + workgroup.z] = params.scale * value;
  }
}

fn joined(a: f32, b: f32) -> f32 {
  if (maximum) {
    return max(a, b);
  }
  return a + b;
}
