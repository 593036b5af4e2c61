// random: numbers by counter, threefry2x32-20; src/kernels/random.ts defines them, src/ops/normal.ts the polynomials.
// One invocation per block of two numbers. Chains draw by the functions named random...: single numbers, the same bits.
override kind = 0u; // index into randomKinds

const BITS = 0u;
const UNIFORM = 1u;
const NORMAL = 2u;
const RADEMACHER = 3u;
const INDEX = 4u;

@group(0) @binding(0) var<uniform> params: RandomParameters;
@group(0) @binding(1) var<storage, read> seed: array<u32>;
@group(0) @binding(2) var<storage, read> counter: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(64)
fn random(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let block = (workgroup.x + workgroup.y * 65535u) * 64u + index;
  let element = block * 2u;
  if (element >= params.count) {
    return;
  }
  let key = vec2u(seed[params.seedOffset], seed[params.seedOffset + 1u]);
  let streamKey = threefry(key, vec2u(params.stream, 0u));
  let bits = threefry(streamKey, vec2u(block, counter[params.counterOffset]));
  out[params.outOffset + element] = drawn(bits.x);
  if (element + 1u < params.count) {
    out[params.outOffset + element + 1u] = drawn(bits.y);
  }
}

// 20 rounds on two words; the key goes in before the first and after every fourth.
fn threefry(key: vec2u, words: vec2u) -> vec2u {
  let parity = 0x1bd11bdau ^ key.x ^ key.y;
  var x = words + key;
  x = mixed(x, 13u);
  x = mixed(x, 15u);
  x = mixed(x, 26u);
  x = mixed(x, 6u);
  x += vec2u(key.y, parity + 1u);
  x = mixed(x, 17u);
  x = mixed(x, 29u);
  x = mixed(x, 16u);
  x = mixed(x, 24u);
  x += vec2u(parity, key.x + 2u);
  x = mixed(x, 13u);
  x = mixed(x, 15u);
  x = mixed(x, 26u);
  x = mixed(x, 6u);
  x += vec2u(key.x, key.y + 3u);
  x = mixed(x, 17u);
  x = mixed(x, 29u);
  x = mixed(x, 16u);
  x = mixed(x, 24u);
  x += vec2u(key.y, parity + 4u);
  x = mixed(x, 13u);
  x = mixed(x, 15u);
  x = mixed(x, 26u);
  x = mixed(x, 6u);
  return x + vec2u(parity, key.x + 5u);
}

fn mixed(x: vec2u, rotation: u32) -> vec2u {
  let sum = x.x + x.y;
  return vec2u(sum, ((x.y << rotation) | (x.y >> (32u - rotation))) ^ sum);
}

// What to store for these bits: f32 by its bits.
fn drawn(bits: u32) -> u32 {
  switch kind {
    case UNIFORM: { return bitcast<u32>(fraction(bits)); }
    case NORMAL: { return bitcast<u32>(normal(bits)); }
    case RADEMACHER: { return bitcast<u32>(rademacher(bits)); }
    case INDEX: { return highProduct(bits, params.bound); }
    default: { return bits; }
  }
}

// Bits of one element of a stream; key: the seed's two words.
fn randomBits(keyLow: u32, keyHigh: u32, counter: u32, stream: u32, element: u32) -> u32 {
  let streamKey = threefry(vec2u(keyLow, keyHigh), vec2u(stream, 0u));
  let bits = threefry(streamKey, vec2u(element >> 1u, counter));
  return select(bits.x, bits.y, (element & 1u) == 1u);
}

fn randomUniform(keyLow: u32, keyHigh: u32, counter: u32, stream: u32, element: u32) -> f32 {
  return fraction(randomBits(keyLow, keyHigh, counter, stream, element));
}

fn randomNormal(keyLow: u32, keyHigh: u32, counter: u32, stream: u32, element: u32) -> f32 {
  return normal(randomBits(keyLow, keyHigh, counter, stream, element));
}

fn randomRademacher(keyLow: u32, keyHigh: u32, counter: u32, stream: u32, element: u32) -> f32 {
  return rademacher(randomBits(keyLow, keyHigh, counter, stream, element));
}

fn randomIndex(keyLow: u32, keyHigh: u32, counter: u32, stream: u32, element: u32, bound: u32) -> u32 {
  return highProduct(randomBits(keyLow, keyHigh, counter, stream, element), bound);
}

fn fraction(bits: u32) -> f32 {
  return f32(bits >> 8u) * 5.9604644775390625e-8;
}

fn rademacher(bits: u32) -> f32 {
  return bitcast<f32>(0x3f800000u | (bits & 0x80000000u));
}

// The high word of the 64-bit product, from products of halves.
fn highProduct(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u); // at most 2^32 - 2^16: no carry
  let other = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u);
}

// Standard normal: the inverse CDF at u = (2 (bits >> 9) + 1) 2^-24. u, x = 2 u - 1 and v = 1 - x^2 as src/ops/normal.ts
// has them, in a form that reordering of sums leaves alone: u and 1 - u are whole numbers times 2^-24.
fn normal(bits: u32) -> f32 {
  let n = 2u * (bits >> 9u) + 1u;
  let u = f32(n) * 5.9604644775390625e-8;
  let rest = f32(16777216u - n) * 5.9604644775390625e-8;
  let x = f32(i32(2u * n) - 16777216) * 5.9604644775390625e-8;
  let v = 4.0 * (u * rest);
  let i = bitcast<i32>(v);
  let e = (i - 0x3f3504f3) >> 23u;
  let t = bitcast<f32>(i - (e << 23u)) - 1.0; // v = 2^e (1 + t)
  var p = -0.10034608 * t + 0.16335641;
  p = p * t - 0.17325996;
  p = p * t + 0.19888277;
  p = p * t - 0.24961466;
  p = p * t + 0.33335263;
  p = p * t - 0.50000584;
  let w = f32(e) * -0.6931472 - (p * (t * t) + t); // -log(v)
  if (w < 5.5) {
    let s = w - 2.75;
    p = -1.0440852e-8 * s + 1.04434275e-8;
    p = p * s + 6.752001e-7;
    p = p * s - 3.7624013e-6;
    p = p * s - 1.3400954e-5;
    p = p * s + 0.00029599114;
    p = p * s - 0.0014687735;
    p = p * s - 0.0071222396;
    p = p * s + 0.34553516;
    p = p * s + 2.2101183;
  } else {
    let s = w - 10.25;
    p = -6.053314e-11 * s + 7.880545e-10;
    p = p * s - 3.9487444e-9;
    p = p * s + 1.7614686e-9;
    p = p * s + 4.329103e-7;
    p = p * s - 1.1294377e-5;
    p = p * s + 0.00023096395;
    p = p * s - 0.0052070552;
    p = p * s + 0.22190355;
    p = p * s + 4.2924294;
  }
  return x * p;
}
