// What attention's kernels share: products of tiles, with a tangent beside the primal, and what they are put together of.
// src/backends/webgpu/attention-source.ts puts in front
//   ALONG          whether there is a tangent
//   ADDS           whether what comes of the primal's cotangent is there already: it is then read as 0
//   FOURS          quads of a head's width, the last one perhaps not whole
//   QUADS, SPLITS  invocations of a row: QUADS, a power of two, have a quad of a result each, of every SPLITS-th inner row
//   joinedFour, cotangentsFour, outFour(at, i)  elements 4 i .. of what begins at `at`, 0 past the width
//   keepFour(at, i, four)                       writes such
//
// A workgroup has 16 rows, the outer ones, and goes over all others, the inner ones, 64 at a time: queries and keys, or
// keys and queries. 64 invocations: y = index % 4, x = index / 4. Of what is of size inner by outer an invocation has
// outer rows 4 y .. 4 y + 3 with inner rows x, x + 16, x + 32, x + 48; of a result these outer rows with quad x % QUADS.
// So 16 FMAs go with two values of four that are read, with a tangent 48 with four, and sums take 16 registers each,
// whatever the width.
// Primal and tangent are multiplied as dual numbers are: (a + e da) (b + e db) = a b + e (a db + da b).
const OUTER = 16u;
const INNER = 64u;
const MEMBERS = select(1u, 2u, ALONG);

// Of inner rows [element / 4][element % 4][quad of rows], and again of what is multiplied as their tangents; in its place
// then weights of inner with outer rows, [inner row][quad of outer rows] as 4 times 4 times 16, and again.
// Of several axes, since devices clamp each index: what is known costs nothing then.
var<workgroup> ofInner: array<array<array<vec4f, 16>, 4>, 4u * MEMBERS>;
// The slices of outer rows.
var<workgroup> ofOuter: array<array<array<vec4f, 4>, 4>, 4u * MEMBERS>;
// What invocations tell each other.
var<workgroup> told: array<vec4f, 64>;

// Rows of an operand, and of what is multiplied as its tangent.
struct Rows {
  isGiven: bool, // of cotangents, not of joined
  first: vec2u, // where row 0 begins
  stride: u32,
}

// Two matrices of four rows of four.
struct Dual {
  first: mat4x4f,
  second: mat4x4f,
}

// 16 rows of a head, from `start` on; past the last sample there are none.
struct Block {
  start: u32,
  head: u32,
  sample: u32,
}

fn blockOf(workgroup: vec3u) -> Block {
  let blocks = (params.length + OUTER - 1u) / OUTER;
  let number = workgroup.x + workgroup.y * 65535u;
  return Block(number % blocks * OUTER, number / blocks % params.heads, number / blocks / params.heads);
}

fn fourOf(rows: Rows, member: u32, row: u32, i: u32) -> vec4f {
  let at = rows.first[member] + min(row, params.length - 1u) * rows.stride;
  if (!rows.isGiven) {
    return joinedFour(at, i);
  }
  if (ADDS && member == 1u) {
    return vec4f();
  }
  return cotangentsFour(at, i);
}

// Elements 4 i .. 4 i + 3 of four rows: [element] holds the rows.
fn blockOfRows(rows: Rows, member: u32, row: u32, apart: u32, i: u32) -> mat4x4f {
  if (FOURS % 4u != 0u && i >= FOURS) {
    return mat4x4f();
  }
  var block = mat4x4f();
  for (var r = 0u; r < 4u; r++) {
    block[r] = fourOf(rows, member, row + r * apart, i);
  }
  return transpose(block);
}

// The slices of inner and outer rows of 16 elements from 4 i on.
fn stage(inner: Rows, innerStart: u32, outerRows: Rows, outerStart: u32, i: u32, index: u32) {
  let k = index / 16u;
  let quad = index % 16u;
  for (var member = 0u; member < MEMBERS; member++) {
    var block = blockOfRows(inner, member, innerStart + quad, 16u, i + k);
    for (var e = 0u; e < 4u; e++) {
      ofInner[4u * member + k][e][quad] = block[e];
    }
  }
  if (quad < 4u * MEMBERS) {
    let member = quad / 4u;
    var block = blockOfRows(outerRows, member, outerStart + quad % 4u * 4u, 1u, i + k);
    for (var e = 0u; e < 4u; e++) {
      ofOuter[4u * member + k][e][quad % 4u] = block[e];
    }
  }
}

// Products of inner and outer rows, [inner][outer] of this invocation's.
fn met(inner: Rows, innerStart: u32, outerRows: Rows, outerStart: u32, index: u32) -> Dual {
  var sums = Dual();
  for (var i = 0u; i < FOURS; i += 4u) {
    workgroupBarrier(); // what was there is read
    stage(inner, innerStart, outerRows, outerStart, i, index);
    workgroupBarrier();
    for (var k = 0u; k < 4u; k++) {
      for (var e = 0u; e < 4u; e++) {
        sums = withElement(sums, k, e, index);
      }
    }
  }
  return sums;
}

// With element 4 k + e of a slice.
fn withElement(before: Dual, k: u32, e: u32, index: u32) -> Dual {
  let x = index / 4u;
  let y = index % 4u;
  let a = ofInner[k][e][x];
  let b = ofOuter[k][e][y];
  var sums = before;
  sums.first = outer(sums.first, a, b);
  if (ALONG) {
    sums.second = outer(sums.second, a, ofOuter[4u * (MEMBERS - 1u) + k][e][y]);
    sums.second = outer(sums.second, ofInner[4u * (MEMBERS - 1u) + k][e][x], b);
  }
  return sums;
}

// Weights of inner row j of this invocation's with its outer ones.
fn keepWeights(j: u32, index: u32, first: vec4f, second: vec4f) {
  ofInner[j][index / 16u][index % 16u] = first;
  if (ALONG) {
    ofInner[4u * (MEMBERS - 1u) + j][index / 16u][index % 16u] = second;
  }
}

// Adds inner rows by their weights, four rows by four: those past the last have none.
fn gathered(before: Dual, rows: Rows, start: u32, index: u32) -> Dual {
  var sums = before;
  let fours = (min(INNER, params.length - start) + 3u) / 4u;
  for (var n = index / 4u / QUADS; n < fours; n += SPLITS) {
    for (var r = 0u; r < 4u; r++) {
      sums = withRow(sums, rows, start, n, r, index);
    }
  }
  return sums;
}

fn withRow(before: Dual, rows: Rows, start: u32, n: u32, r: u32, index: u32) -> Dual {
  let at = 4u * r + index % 4u;
  let quad = index / 4u % QUADS;
  let weight = ofInner[n / 4u][n % 4u][at];
  let four = fourOf(rows, 0u, start + 4u * n + r, quad);
  var sums = before;
  sums.first = outer(sums.first, weight, four);
  if (ALONG) {
    sums.second = outer(sums.second, ofInner[4u * (MEMBERS - 1u) + n / 4u][n % 4u][at], four);
    sums.second = outer(sums.second, weight, fourOf(rows, 1u, start + 4u * n + r, quad));
  }
  return sums;
}

// The sums of invocations that share a quad, in all of them.
fn joined16(sums: Dual, index: u32) -> Dual {
  if (SPLITS == 1u) {
    return sums;
  }
  var parts = sums;
  workgroupBarrier(); // weights are read
  for (var r = 0u; r < 4u; r++) {
    keepWeights(r, index, parts.first[r], parts.second[r]);
  }
  workgroupBarrier();
  var result = Dual();
  for (var i = index % (4u * QUADS); i < 64u; i += 4u * QUADS) {
    result.first += matrixAt(0u, i);
    if (ALONG) {
      result.second += matrixAt(4u * (MEMBERS - 1u), i);
    }
  }
  return result;
}

fn matrixAt(first: u32, i: u32) -> mat4x4f {
  let k = i / 16u;
  let quad = i % 16u;
  return mat4x4f(
    ofInner[first][k][quad],
    ofInner[first + 1u][k][quad],
    ofInner[first + 2u][k][quad],
    ofInner[first + 3u][k][quad],
  );
}

fn largestOf(four: vec4f, index: u32) -> vec4f {
  told[index] = four;
  workgroupBarrier();
  var largest = four;
  for (var x = 0u; x < 16u; x++) {
    largest = max(largest, told[4u * x + index % 4u]);
  }
  return largest;
}

fn sumOf(four: vec4f, index: u32) -> vec4f {
  workgroupBarrier(); // what was told before is read
  told[index] = four;
  workgroupBarrier();
  var sum = vec4f();
  for (var x = 0u; x < 16u; x++) {
    sum += told[4u * x + index % 4u];
  }
  return sum;
}

// exp of what is not above 0.
fn decayOf(x: vec4f) -> vec4f {
  return exp(max(x, vec4f(-104.0)));
}

const LEAST = vec4f(-3.4e38);

fn largestRow(m: mat4x4f) -> vec4f {
  return max(max(m[0], m[1]), max(m[2], m[3]));
}
