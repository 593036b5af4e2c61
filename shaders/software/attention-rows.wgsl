// attention-rows: attention (shaders/attention/attention.wgsl) for software adapters, which compile it in a tenth of the time.
// src/backends/webgpu/attention-source.ts puts in front what both files of this kind need:
//   FOURS            quads of a head's width, the last one perhaps not whole
//   TANGENTS, SLOTS  tangents, and at least 1 place for them
//   joinedFour(at, i)  elements 4 i .. of what begins at `at`, 0 past the width; keepFour(at, i, four) writes such
//
// Invocation (sample, head, query): all of its query's results, key by key, with what was added up before scaled to the
// largest score so far. Rows are in arrays: on a GPU these are more registers than there are.
@group(0) @binding(0) var<uniform> params: AttentionParameters;

@compute @workgroup_size(64)
fn attention(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let number = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  if (number >= params.batch * params.heads * params.length) {
    return;
  }
  let query = number % params.length;
  let head = number / params.length % params.heads;
  let sample = number / params.length / params.heads;
  let outRow = params.heads * params.width;
  let row = 3u * outRow;
  let next = params.batch * params.length * row; // from the primal to its first tangent
  let first = params.joinedOffset + sample * params.length * row + head * params.headStride;
  var q: array<vec4f, FOURS>;
  var dq: array<array<vec4f, FOURS>, SLOTS>;
  for (var i = 0u; i < FOURS; i++) {
    q[i] = joinedFour(first + query * row, i);
    for (var t = 0u; t < TANGENTS; t++) {
      dq[t][i] = joinedFour(first + query * row + (t + 1u) * next, i);
    }
  }

  var largest = -3.4e38;
  var total = 0.0;
  var sums: array<vec4f, FOURS>;
  var slopes: array<f32, SLOTS>; // sums of T
  var along: array<array<vec4f, FOURS>, SLOTS>; // of T v + dv
  for (var key = 0u; key < params.length; key++) {
    let k = first + key * row + params.kindStride;
    let v = k + params.kindStride;
    var score = 0.0;
    var slope = array<f32, SLOTS>(); // said: SwiftShader keeps what it was in the turn before
    for (var i = 0u; i < FOURS; i++) {
      let four = joinedFour(k, i);
      score += dot(q[i], four);
      for (var t = 0u; t < TANGENTS; t++) {
        slope[t] += dot(dq[t][i], four) + dot(q[i], joinedFour(k + (t + 1u) * next, i));
      }
    }
    score *= params.scale;
    let top = max(largest, score);
    let kept = exp(largest - top);
    let weight = exp(score - top);
    largest = top;
    total = total * kept + weight;
    for (var t = 0u; t < TANGENTS; t++) {
      slope[t] *= params.scale;
      slopes[t] = slopes[t] * kept + weight * slope[t];
    }
    for (var i = 0u; i < FOURS; i++) {
      let four = joinedFour(v, i);
      sums[i] = sums[i] * kept + weight * four;
      for (var t = 0u; t < TANGENTS; t++) {
        along[t][i] = along[t][i] * kept + weight * (slope[t] * four + joinedFour(v + (t + 1u) * next, i));
      }
    }
  }

  let share = 1.0 / total;
  let to = params.outOffset + (sample * params.length + query) * outRow + head * params.width;
  for (var i = 0u; i < FOURS; i++) {
    let result = sums[i] * share;
    keepFour(to, i, result);
    for (var t = 0u; t < TANGENTS; t++) {
      keepFour(to + (t + 1u) * params.batch * params.length * outRow, i, (along[t][i] - slopes[t] * result) * share);
    }
  }
}
