// reduce-serial: reduce by invocations that share nothing (shaders/reduce.wgsl says what it computes). For GPUs that are
// a CPU's vector units, where a barrier costs as much as hundreds of additions.
//
// One invocation per output and segment: segment s takes r = s, s + segments, ... in order; out is then
// [outer, segments, inner], and a second call reduces that.
override maximum = false;
override squares = false; // a sum of squares
override segments = 1u;

@group(0) @binding(0) var<uniform> params: ReduceParameters;
@group(0) @binding(1) var<storage, read> in: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn reduce(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let n = (workgroup.x + workgroup.y * 65535u) * 64u + index; // of [outer, segments, inner]
  let inner = params.inner;
  let o = n / (segments * inner);
  if (o >= params.outer) {
    return;
  }
  let start = params.inOffset + o * params.reduced * inner + n % inner;
  let reduced = params.reduced;
  var value = select(0.0, -3.4028234e38, maximum);
  for (var r = n / inner % segments; r < reduced; r += segments) {
    let next = in[start + r * inner];
    if (maximum) {
      value = max(value, next);
    } else {
      value += select(next, next * next, squares);
    }
  }
  out[params.outOffset + n] = params.scale * value;
}
