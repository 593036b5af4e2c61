// attentionReverse: src/kernels/attention.ts has the shapes, src/ops/attention-rules.ts the formulas and names,
// attention-tiles.wgsl how products are computed. Beside what that says
//   PART   what a dispatch gives: facts of queries, from these then what comes back for queries, for keys, for values
//   facts  [kind][sample][head][query]: the largest score, 1 / sum, sum(P C); of the tangent r and sum(P B)
//
// Workgroup (block of 16 rows of a head): of queries, which go over the keys, or of keys and of values, which go over the
// queries. All this along one tangent, number params.tangents; of several each has its dispatches, the later ones add.
const FACTS = 0u;
const QUERIES = 1u;
const KEYS = 2u;
const VALUES = 3u;

@group(0) @binding(0) var<uniform> params: AttentionReverseParameters;

// What is known of a query: of four, or the same four times.
struct Facts {
  largest: vec4f,
  share: vec4f,
  mean: vec4f,
  slope: vec4f,
  met: vec4f,
}

@compute @workgroup_size(64)
fn attentionReverse(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let block = blockOf(workgroup);
  if (block.sample >= params.batch) {
    return;
  }
  let outRow = params.heads * params.width;
  let row = 3u * outRow;
  let at = block.sample * params.length * row + block.head * params.headStride;
  let along = vec2u(0u, params.tangents * params.batch * params.length); // rows from the primal to the tangent
  let first = params.joinedOffset + at + along * row;
  let q = Rows(false, first, row);
  let k = Rows(false, first + params.kindStride, row);
  let v = Rows(false, first + 2u * params.kindStride, row);
  let c = params.cotangentsOffset + block.sample * params.length * outRow + block.head * params.width;
  let given = Rows(true, c + along.yx * outRow, outRow); // its tangent's cotangent times v is B, so that comes first
  let factsAt = (block.sample * params.heads + block.head) * params.length;

  var known = Facts(LEAST, vec4f(), vec4f(), vec4f(), vec4f());
  var sums = Dual(); // for the tangent's rows, for the primal's
  for (var inner = 0u; inner < params.length; inner += INNER) {
    var pair = Dual(); // S, T
    var other = Dual(); // B, and what c adds to C; without a tangent C
    if (PART == FACTS || PART == QUERIES) {
      pair = met(k, inner, q, block.start, index);
      other = met(v, inner, given, block.start, index);
    } else {
      pair = met(q, inner, k, block.start, index);
      if (PART == KEYS) {
        other = met(given, inner, v, block.start, index);
      }
    }
    if (PART != FACTS) {
      workgroupBarrier(); // slices are read
    }
    if (PART == QUERIES) { // each time: there are too few registers to keep them
      known = factsOf(factsAt, block.start + index % 4u * 4u + vec4u(0u, 1u, 2u, 3u));
    }
    for (var j = 0u; j < 4u; j++) {
      let n = inner + 16u * j + index / 4u;
      let score = params.scale * pair.first[j];
      let slope = params.scale * pair.second[j];
      if (PART == FACTS) {
        if (n < params.length) {
          known = withKey(known, score, slope, other.first[j], other.second[j]);
        }
      } else {
        if (PART != QUERIES) {
          known = factsOf(factsAt, vec4u(n));
        }
        weigh(known, score, slope, other.first[j], other.second[j], n < params.length, j, index);
      }
    }
    if (PART != FACTS) {
      workgroupBarrier();
    }
    if (PART == QUERIES) {
      sums = gathered(sums, k, inner, index);
    } else if (PART == KEYS) {
      sums = gathered(sums, q, inner, index);
    } else if (PART == VALUES) {
      sums = gathered(sums, given, inner, index);
    }
  }
  if (PART == FACTS) {
    keepFacts(known, factsAt, block.start, index);
  } else {
    let to = params.outOffset + at + (PART - QUERIES) * params.kindStride + along * row;
    keep(joined16(sums, index), to, row, block.start, index);
  }
}

fn factsOf(at: u32, queries: vec4u) -> Facts {
  let all = params.batch * params.heads * params.length;
  let n = at + min(queries, vec4u(params.length - 1u));
  var known = Facts(factFour(n), factFour(n + all), factFour(n + 2u * all), vec4f(), vec4f());
  if (ALONG) {
    known.slope = factFour(n + 3u * all);
    known.met = factFour(n + 4u * all);
  }
  return known;
}

fn factFour(at: vec4u) -> vec4f {
  return vec4f(facts[at.x], facts[at.y], facts[at.z], facts[at.w]);
}

// C without what facts add; `first` is B, `second` what c gives.
fn cotangentOf(slope: vec4f, first: vec4f, second: vec4f) -> vec4f {
  if (ALONG) {
    return second + slope * first;
  }
  return first;
}

// Sums over keys so far, with one more; `share` and `mean` are those of 1 and of C, not divided yet.
fn withKey(before: Facts, score: vec4f, slope: vec4f, first: vec4f, second: vec4f) -> Facts {
  let largest = max(before.largest, score);
  let kept = decayOf(before.largest - largest);
  let weight = decayOf(score - largest);
  return Facts(
    largest,
    before.share * kept + weight,
    before.mean * kept + weight * cotangentOf(slope, first, second),
    before.slope * kept + weight * slope,
    before.met * kept + weight * first,
  );
}

// Joins the sums of all invocations of a query, and writes its facts.
fn keepFacts(sums: Facts, at: u32, start: u32, index: u32) {
  let largest = largestOf(sums.largest, index);
  let kept = decayOf(sums.largest - largest);
  let share = 1.0 / sumOf(sums.share * kept, index);
  var mean = sumOf(sums.mean * kept, index) * share;
  var slope = vec4f();
  var ofMet = vec4f();
  if (ALONG) {
    slope = sumOf(sums.slope * kept, index) * share;
    ofMet = sumOf(sums.met * kept, index) * share;
    mean -= 2.0 * slope * ofMet;
  }
  let all = params.batch * params.heads * params.length;
  for (var r = 0u; r < 4u; r++) {
    let query = start + 4u * index + r;
    if (index < 4u && query < params.length) {
      facts[at + query] = largest[r];
      facts[at + query + all] = share[r];
      facts[at + query + 2u * all] = mean[r];
      if (ALONG) {
        facts[at + query + 3u * all] = slope[r];
        facts[at + query + 4u * all] = ofMet[r];
      }
    }
  }
}

// Leaves the weights of four pairs: times the scale G and F, for values P and W; without a tangent F or P.
fn weigh(known: Facts, score: vec4f, slope: vec4f, first: vec4f, second: vec4f, isThere: bool, j: u32, index: u32) {
  let weight = select(vec4f(), decayOf(score - known.largest) * known.share, isThere);
  if (PART == VALUES) {
    keepWeights(j, index, weight, weight * (slope - known.slope));
    return;
  }
  let scaled = params.scale * weight;
  let cotangent = scaled * (cotangentOf(slope, first, second) - known.mean);
  if (ALONG) {
    let moved = scaled * (known.slope * first + known.met * slope);
    keepWeights(j, index, scaled * (first - known.met), cotangent - moved);
  } else {
    keepWeights(j, index, cotangent, vec4f());
  }
}

// Writes four rows of a result and of its tangent, or adds the result to what is there.
fn keep(sums: Dual, to: vec2u, stride: u32, start: u32, index: u32) {
  let quad = index / 4u;
  var result = sums.first;
  if (ALONG) {
    result = sums.second;
  }
  for (var r = 0u; r < 4u; r++) {
    let row = start + index % 4u * 4u + r;
    if (quad < FOURS && row < params.length) {
      let at = to + row * stride;
      var four = result[r];
      if (ADDS) {
        four += outFour(at.x, quad);
      }
      keepFour(at.x, quad, four);
      if (ALONG) {
        keepFour(at.y, quad, sums.first[r]);
      }
    }
  }
}
