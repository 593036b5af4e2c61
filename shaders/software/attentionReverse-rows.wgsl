// attentionReverse-rows: attentionReverse (shaders/attention/attentionReverse.wgsl) for software adapters; attention-rows.wgsl
// says why, and what is put in front. Beside that here
//   cotangentsFour(at, i)  as joinedFour
//   facts                  of each (sample, head, query), FACTS numbers: the largest score, 1 / sum, sum(P C), and of each
//                          tangent r and sum(P B)
//
// Two dispatches: an invocation of the first has a query, goes over the keys twice and leaves facts for the second, of
// which an invocation has a key and goes over the queries.
const FACTS = 3u + 2u * TANGENTS;

@group(0) @binding(0) var<uniform> params: AttentionReverseParameters;

// A query or a key, and where its head begins; past the last sample there are none.
struct Place {
  number: u32, // of all
  row: u32, // of the head
  sample: u32,
  joined: u32, // of the sample's first row
  given: u32,
  out: u32,
  stride: u32, // to the next row of joined
  next: u32, // from the primal to its first tangent
  outRow: u32, // the same of cotangents
  outNext: u32,
}

fn placeOf(workgroup: vec3u, index: u32) -> Place {
  let number = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  let head = number / params.length % params.heads;
  let sample = number / params.length / params.heads;
  let outRow = params.heads * params.width;
  let at = sample * params.length * 3u * outRow + head * params.headStride;
  return Place(
    number,
    number % params.length,
    sample,
    params.joinedOffset + at,
    params.cotangentsOffset + sample * params.length * outRow + head * params.width,
    params.outOffset + at,
    3u * outRow,
    params.batch * params.length * 3u * outRow,
    outRow,
    params.batch * params.length * outRow,
  );
}

// Of a query with a key: S, C without what the query's facts add, and of each tangent T and B.
struct Pair {
  score: f32,
  cotangent: f32,
  slope: array<f32, SLOTS>,
  met: array<f32, SLOTS>,
}

// q and k: where these begin in joined; given: the query's cotangent.
fn pairOf(q: u32, k: u32, given: u32, place: Place) -> Pair {
  var pair = Pair();
  let v = k + params.kindStride;
  for (var i = 0u; i < FOURS; i++) {
    let query = joinedFour(q, i);
    let key = joinedFour(k, i);
    let value = joinedFour(v, i);
    pair.score += dot(query, key);
    pair.cotangent += dot(cotangentsFour(given, i), value);
    for (var t = 0u; t < TANGENTS; t++) {
      let next = (t + 1u) * place.next;
      let b = cotangentsFour(given + (t + 1u) * place.outNext, i);
      pair.slope[t] += dot(joinedFour(q + next, i), key) + dot(query, joinedFour(k + next, i));
      pair.met[t] += dot(b, value);
      pair.cotangent += dot(b, joinedFour(v + next, i));
    }
  }
  pair.score *= params.scale;
  for (var t = 0u; t < TANGENTS; t++) {
    pair.slope[t] *= params.scale;
    pair.cotangent += pair.slope[t] * pair.met[t];
  }
  return pair;
}

// A pair with the query's facts: P, F, and of each tangent W and G; F and G times the scale.
struct Parts {
  weight: f32,
  ofScore: f32,
  moved: array<f32, SLOTS>,
  ofSlope: array<f32, SLOTS>,
}

fn partsOf(pair: Pair, at: u32) -> Parts {
  var parts = Parts();
  parts.weight = exp(pair.score - facts[at]) * facts[at + 1u];
  var cotangent = pair.cotangent - facts[at + 2u];
  for (var t = 0u; t < TANGENTS; t++) {
    let slope = facts[at + 3u + 2u * t];
    let met = facts[at + 4u + 2u * t];
    cotangent -= slope * pair.met[t] + met * pair.slope[t];
    parts.moved[t] = parts.weight * (pair.slope[t] - slope);
    parts.ofSlope[t] = parts.weight * params.scale * (pair.met[t] - met);
  }
  parts.ofScore = parts.weight * params.scale * cotangent;
  return parts;
}

@compute @workgroup_size(64)
fn ofQueries(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let place = placeOf(workgroup, index);
  if (place.sample >= params.batch) {
    return;
  }
  let q = place.joined + place.row * place.stride;
  let given = place.given + place.row * place.outRow;
  let keys = place.joined + params.kindStride;
  let at = place.number * FACTS;

  var largest = -3.4e38;
  var total = 0.0;
  var cotangents = 0.0;
  var slopes: array<f32, SLOTS>;
  var met: array<f32, SLOTS>;
  for (var key = 0u; key < params.length; key++) {
    let pair = pairOf(q, keys + key * place.stride, given, place);
    let top = max(largest, pair.score);
    let kept = exp(largest - top);
    let weight = exp(pair.score - top);
    largest = top;
    total = total * kept + weight;
    cotangents = cotangents * kept + weight * pair.cotangent;
    for (var t = 0u; t < TANGENTS; t++) {
      slopes[t] = slopes[t] * kept + weight * pair.slope[t];
      met[t] = met[t] * kept + weight * pair.met[t];
    }
  }
  let share = 1.0 / total;
  facts[at] = largest;
  facts[at + 1u] = share;
  var mean = cotangents * share;
  for (var t = 0u; t < TANGENTS; t++) {
    facts[at + 3u + 2u * t] = slopes[t] * share;
    facts[at + 4u + 2u * t] = met[t] * share;
    mean -= 2.0 * slopes[t] * share * (met[t] * share);
  }
  facts[at + 2u] = mean;

  var ofQuery: array<vec4f, FOURS>;
  var ofTangent: array<array<vec4f, FOURS>, SLOTS>;
  for (var key = 0u; key < params.length; key++) {
    let k = keys + key * place.stride;
    let parts = partsOf(pairOf(q, k, given, place), at);
    for (var i = 0u; i < FOURS; i++) {
      let four = joinedFour(k, i);
      ofQuery[i] += parts.ofScore * four;
      for (var t = 0u; t < TANGENTS; t++) {
        ofQuery[i] += parts.ofSlope[t] * joinedFour(k + (t + 1u) * place.next, i);
        ofTangent[t][i] += parts.ofSlope[t] * four;
      }
    }
  }
  let to = place.out + place.row * place.stride;
  for (var i = 0u; i < FOURS; i++) {
    keepFour(to, i, ofQuery[i]);
    for (var t = 0u; t < TANGENTS; t++) {
      keepFour(to + (t + 1u) * place.next, i, ofTangent[t][i]);
    }
  }
}

@compute @workgroup_size(64)
fn ofKeys(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let place = placeOf(workgroup, index);
  if (place.sample >= params.batch) {
    return;
  }
  let k = place.joined + params.kindStride + place.row * place.stride;
  var ofKey: array<vec4f, FOURS>;
  var ofValue: array<vec4f, FOURS>;
  var keyAlong: array<array<vec4f, FOURS>, SLOTS>;
  var valueAlong: array<array<vec4f, FOURS>, SLOTS>;
  for (var query = 0u; query < params.length; query++) {
    let q = place.joined + query * place.stride;
    let given = place.given + query * place.outRow;
    let parts = partsOf(pairOf(q, k, given, place), (place.number - place.row + query) * FACTS);
    for (var i = 0u; i < FOURS; i++) {
      let four = joinedFour(q, i);
      ofKey[i] += parts.ofScore * four;
      ofValue[i] += parts.weight * cotangentsFour(given, i);
      for (var t = 0u; t < TANGENTS; t++) {
        let b = cotangentsFour(given + (t + 1u) * place.outNext, i);
        ofKey[i] += parts.ofSlope[t] * joinedFour(q + (t + 1u) * place.next, i);
        ofValue[i] += parts.moved[t] * b;
        keyAlong[t][i] += parts.ofSlope[t] * four;
        valueAlong[t][i] += parts.weight * b;
      }
    }
  }
  let to = place.out + params.kindStride + place.row * place.stride;
  for (var i = 0u; i < FOURS; i++) {
    keepFour(to, i, ofKey[i]);
    keepFour(to + params.kindStride, i, ofValue[i]);
    for (var t = 0u; t < TANGENTS; t++) {
      keepFour(to + (t + 1u) * place.next, i, keyAlong[t][i]);
      keepFour(to + params.kindStride + (t + 1u) * place.next, i, valueAlong[t][i]);
    }
  }
}
