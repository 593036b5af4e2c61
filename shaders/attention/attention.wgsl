// attention: src/kernels/attention.ts has the shapes, src/ops/attention-rules.ts the formulas and names,
// attention-tiles.wgsl how products are computed.
//
// Workgroup (block of 16 queries of a head, -, tangent): their results along this tangent, and the first also the value. It
// goes over the keys, with what was added up before scaled to the largest score so far (Milakov and Gimelshein, Online
// normalizer calculation for softmax, 2018). Nothing is of size L x L.
@group(0) @binding(0) var<uniform> params: AttentionParameters;

@compute @workgroup_size(64)
fn attention(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let block = blockOf(workgroup);
  if (block.sample >= params.batch) {
    return;
  }
  let outRow = params.heads * params.width;
  let row = 3u * outRow;
  let queries = params.joinedOffset + block.sample * params.length * row + block.head * params.headStride;
  let along = vec2u(0u, (workgroup.z + 1u) * params.batch * params.length); // rows from the primal to this tangent
  let q = Rows(false, queries + along * row, row);
  let k = Rows(false, q.first + params.kindStride, row);
  let v = Rows(false, k.first + params.kindStride, row);

  var largest = LEAST; // of each of four queries
  var total = vec4f();
  var slopes = vec4f(); // sums of T
  var sums = Dual(); // of v, of T v + dv
  for (var first = 0u; first < params.length; first += INNER) {
    var pair = met(k, first, q, block.start, index);
    var scores = params.scale * pair.first;
    for (var j = 0u; j < 4u; j++) {
      scores[j] = select(scores[j], LEAST, first + 16u * j + index / 4u >= params.length);
    }
    let top = max(largest, largestOf(largestRow(scores), index));
    let kept = decayOf(largest - top);
    largest = top;
    total *= kept;
    slopes *= kept;
    for (var j = 0u; j < 4u; j++) {
      let weight = select(decayOf(scores[j] - top), vec4f(), first + 16u * j + index / 4u >= params.length);
      let moved = params.scale * weight * pair.second[j];
      total += weight;
      slopes += moved;
      keepWeights(j, index, weight, moved);
    }
    workgroupBarrier();
    for (var r = 0u; r < 4u; r++) {
      sums.first[r] *= kept[r];
      sums.second[r] *= kept[r];
    }
    sums = gathered(sums, v, first, index);
  }

  sums = joined16(sums, index);
  let share = 1.0 / sumOf(total, index);
  if (ALONG) {
    slopes = sumOf(slopes, index) * share;
  }
  let quad = index / 4u;
  if (quad >= FOURS) {
    return;
  }
  let to = params.outOffset + block.sample * params.length * outRow + block.head * params.width;
  for (var r = 0u; r < 4u; r++) {
    let query = block.start + index % 4u * 4u + r;
    if (query < params.length) {
      let result = sums.first[r] * share[r];
      if (workgroup.z == 0u) {
        keepFour(to + query * outRow, quad, result);
      }
      if (ALONG) {
        keepFour(to + (along.y + query) * outRow, quad, sums.second[r] * share[r] - slopes[r] * result);
      }
    }
  }
}
