// use: elementwise
// use: activation
// mlpFlow: many Runge-Kutta steps through a whole perceptron; src/kernels/mlp-flow.ts says what of which shapes.
//
// A workgroup keeps some points for all steps, and all their values in workgroup memory, by value and quad of rows; of
// global memory it reads nothing but weights, which stay in the caches. A quad holds 4 points; or 2 with a tangent each;
// or 1 with 2 or 3 tangents: a point lies beside its tangents, so an activation needs no value of another quad.
// Invocation (r, c) = r columnGroups + c: the block of row quads 2 r, 2 r + 1 and columns 4 c .. 4 c + 3 of each layer,
// in registers: 32 FMAs per quad of weights and two of values. All invocations of a row group read the same values, and
// neighbours neighbouring weights. A layer overwrites its inputs, between two barriers.
// The last layer is narrow: its sums are cut along the depth into `splits` parts, so that there is work for more.
// Invocation d quads + q owns coordinate d of the points of quad q: it keeps x, moves it, and multiplies J z by z. What
// rounding takes from x and the log-densities is kept in `flow` behind them (flow/solvers/compensated.ts), not in
// registers: it is touched once a step.
// Written out where a loop would index registers. The way here, with figures: docs/kernels/mlpFlow.md.
override activation = 0u;
override tangents = 0u;

@group(0) @binding(0) var<uniform> params: MlpFlowParameters;
@group(0) @binding(1) var<storage, read> parameters: array<f32>;
@group(0) @binding(2) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(3) var<storage, read> layers: array<u32>;
@group(0) @binding(4) var<storage, read> times: array<f32>;
@group(0) @binding(5) var<storage, read> range: array<u32>;
@group(0) @binding(6) var<storage, read> probe: array<f32>;
@group(0) @binding(7) var<storage, read_write> flow: array<f32>;

// Value k of quad q: [k / 4 rowGroups + q / 2][2 (k % 4) + q % 2]. What a block reads at four values of k, and what it
// writes, lies together: one index, checked once.
var<workgroup> values: array<array<vec4f, 8>, 128>;

struct Layer {
  outputs: u32,
  weight: u32,
  bias: u32,
}

// Sums of a block: columns 0 to 3 of its first quad of rows and of its second.
struct Block {
  a0: vec4f,
  a1: vec4f,
  a2: vec4f,
  a3: vec4f,
  b0: vec4f,
  b1: vec4f,
  b2: vec4f,
  b3: vec4f,
}

@compute @workgroup_size(128)
fn mlpFlow(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) index: u32) {
  let quads = 2u * params.rowGroups;
  let quad = index % quads;
  let coordinate = index / quads;
  let owns = coordinate < params.dimension;
  let first = ((workgroup.x + workgroup.y * 65535u) * quads + quad) * pointsPerQuad(); // of the quad's points
  let a = vec4f(params.a1, params.a2, params.a3, 0.0);
  let b = vec4f(params.b0, params.b1, params.b2, params.b3);
  let c = vec4f(0.0, params.c1, params.c2, params.c3);

  var x = vec4f(); // lanes of tangents hold nothing
  if (owns) {
    x = pointsAt(first, coordinate);
  }
  let start = params.timesOffset + range[params.rangeOffset];
  let end = start + range[params.rangeOffset + 1u];
  for (var step = start; step < end; step++) {
    let time = times[step];
    let next = times[step + 1u];
    let size = next - time;
    var stagePoint = x;
    var change = vec4f();
    for (var stage = 0u; stage < params.stages; stage++) {
      // At the step's ends the time is taken as it is: t + (next - t) need not be next in f32.
      let at = select(fma(size, c[stage], time), next, c[stage] == 1.0);
      var velocity = vec4f();
      var done = 0u; // probes
      loop {
        var along = vec4f();
        workgroupBarrier(); // what is there has been read
        if (owns) {
          along = directionsAt(first, coordinate, done);
          setValue(coordinate, quad, select(along, stagePoint, isPrimal()));
          if (coordinate == 0u) {
            setValue(params.dimension, quad, onPrimals(at));
          }
        }
        workgroupBarrier();
        var depth = params.dimension + 1u;
        for (var k = 0u; k + 1u < params.layers; k++) {
          let layer = layerAt(k);
          hidden(layer, depth, index);
          depth = layer.outputs;
        }
        let output = layerAt(params.layers - 1u);
        last(output, depth, index);
        if (owns) {
          velocity = outputAt(output, coordinate, quad);
        }
        if (tangents > 0u) {
          workgroupBarrier(); // all outputs have been read
          if (owns) {
            setValue(coordinate, quad, along * velocity);
          }
          workgroupBarrier();
          if (index < quads) {
            addDivergences(quad, first, done, -b[stage] * size);
          }
        }
        done += tangents;
        if (done >= params.probes) {
          break;
        }
      }
      change = fma(vec4f(b[stage]), velocity, change);
      stagePoint = fma(vec4f(a[stage] * size), velocity, x);
    }
    if (owns) {
      x = movedPoints(first, coordinate, x, size * change);
    }
  }
  if (owns) {
    storePoints(first, coordinate, x);
  }
}

fn layerAt(k: u32) -> Layer {
  let i = params.layersOffset + 3u * k;
  return Layer(layers[i], layers[i + 1u], layers[i + 2u]);
}

// A hidden layer of all rows, from `depth` values to layer.outputs.
fn hidden(layer: Layer, depth: u32, index: u32) {
  let group = index / params.columnGroups;
  let column = 4u * (index % params.columnGroups);
  let works = group < params.rowGroups && column < layer.outputs;
  var sum: Block;
  if (works) {
    sum = products(layer, depth, group, column);
  }
  workgroupBarrier(); // the inputs have been read
  if (works) {
    let to = column / 4u * params.rowGroups + group;
    values[to][0] = sum.a0;
    values[to][1] = sum.b0;
    values[to][2] = sum.a1;
    values[to][3] = sum.b1;
    values[to][4] = sum.a2;
    values[to][5] = sum.b2;
    values[to][6] = sum.a3;
    values[to][7] = sum.b3;
    for (var i = 0u; i < 8u; i += 2u) { // a loop over memory: the function is compiled twice, not eight times
      values[to][i] = activated(values[to][i]);
      values[to][i + 1u] = activated(values[to][i + 1u]);
    }
  }
  workgroupBarrier();
}

// h W + b of a block. Past the last column it is of no use, and read by nobody.
fn products(layer: Layer, depth: u32, group: u32, column: u32) -> Block {
  let bias = params.parametersOffset + layer.bias + column;
  let b0 = onPrimals(parameters[bias]);
  let b1 = onPrimals(parameters[bias + 1u]);
  let b2 = onPrimals(parameters[bias + 2u]);
  let b3 = onPrimals(parameters[bias + 3u]);
  var sum = Block(b0, b1, b2, b3, b0, b1, b2, b3);
  var k = 0u;
  let start = params.vectorsOffset + layer.weight + column;
  if (((start | layer.outputs) & 3u) == 0u) {
    let stride = layer.outputs / 4u;
    var at = group;
    var weight = start / 4u;
    var now = fourRows(weight, stride);
    for (; k + 8u <= depth; k += 8u) {
      let next = fourRows(weight + 4u * stride, stride);
      sum = plusTerms(at, now, sum);
      weight += 8u * stride;
      now = fourRows(weight, stride); // in the last round some numbers, or zeros: not used
      sum = plusTerms(at + params.rowGroups, next, sum);
      at += 2u * params.rowGroups;
    }
    if (k + 4u <= depth) {
      sum = plusTerms(at, now, sum);
      k += 4u;
    }
  }
  var weight = params.parametersOffset + layer.weight + k * layer.outputs + column;
  for (; k < depth; k++) {
    sum = plusTerm(valueAt(k, 2u * group), valueAt(k, 2u * group + 1u), weightsAt(weight), sum);
    weight += layer.outputs;
  }
  return sum;
}

fn valueAt(k: u32, quad: u32) -> vec4f {
  return values[k / 4u * params.rowGroups + quad / 2u][2u * (k % 4u) + quad % 2u];
}

fn setValue(k: u32, quad: u32, value: vec4f) {
  values[k / 4u * params.rowGroups + quad / 2u][2u * (k % 4u) + quad % 2u] = value;
}

// Four columns of four rows of a weight, which lie `stride` quads apart.
fn fourRows(i: u32, stride: u32) -> mat4x4f {
  return mat4x4f(vectors[i], vectors[i + stride], vectors[i + 2u * stride], vectors[i + 3u * stride]);
}

fn weightsAt(i: u32) -> vec4f {
  return vec4f(parameters[i], parameters[i + 1u], parameters[i + 2u], parameters[i + 3u]);
}

// The terms of four values of k: w has a row of the weight for each.
fn plusTerms(at: u32, w: mat4x4f, sum: Block) -> Block {
  let first = plusTerm(values[at][0], values[at][1], w[0], sum);
  let second = plusTerm(values[at][2], values[at][3], w[1], first);
  let third = plusTerm(values[at][4], values[at][5], w[2], second);
  return plusTerm(values[at][6], values[at][7], w[3], third);
}

fn plusTerm(a: vec4f, b: vec4f, w: vec4f, sum: Block) -> Block {
  return Block(
    plusProduct(a, w.x, sum.a0),
    plusProduct(a, w.y, sum.a1),
    plusProduct(a, w.z, sum.a2),
    plusProduct(a, w.w, sum.a3),
    plusProduct(b, w.x, sum.b0),
    plusProduct(b, w.y, sum.b1),
    plusProduct(b, w.z, sum.b2),
    plusProduct(b, w.w, sum.b3),
  );
}

// With two tangents a quad's last lane is empty.
fn plusProduct(h: vec4f, w: f32, sum: vec4f) -> vec4f {
  if (tangents == 2u) {
    return vec4f(fma(h.xyz, vec3f(w), sum.xyz), 0.0);
  }
  return fma(h, vec4f(w), sum);
}

// The last layer, without its bias. Its columns c come in fours: part s of column c is at value 4 (s fours + c / 4) + c % 4.
fn last(layer: Layer, depth: u32, index: u32) {
  let quads = 2u * params.rowGroups;
  let quad = index % quads;
  let fours = (params.dimension + 3u) / 4u;
  let four = index / quads % fours;
  let split = index / (quads * fours);
  let works = split < params.splits;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  if (works) {
    let length = (depth + params.splits - 1u) / params.splits;
    let start = min(split * length, depth);
    let end = min(start + length, depth);
    var weight = params.parametersOffset + layer.weight + start * layer.outputs + 4u * four;
    for (var k = start; k < end; k++) {
      let h = valueAt(k, quad);
      let w = weightsAt(weight);
      sum0 = plusProduct(h, w.x, sum0);
      sum1 = plusProduct(h, w.y, sum1);
      sum2 = plusProduct(h, w.z, sum2);
      sum3 = plusProduct(h, w.w, sum3);
      weight += layer.outputs;
    }
  }
  workgroupBarrier(); // the inputs have been read
  if (works) {
    let to = 4u * (split * fours + four);
    setValue(to, quad, sum0);
    setValue(to + 1u, quad, sum1);
    setValue(to + 2u, quad, sum2);
    setValue(to + 3u, quad, sum3);
  }
  workgroupBarrier();
}

// What the network gives at a coordinate for the rows of a quad: velocities, J z in lanes of tangents.
fn outputAt(layer: Layer, coordinate: u32, quad: u32) -> vec4f {
  let stride = (params.dimension + 3u) / 4u * 4u;
  var sum = onPrimals(parameters[params.parametersOffset + layer.bias + coordinate]);
  for (var split = 0u; split < params.splits; split++) {
    sum += valueAt(split * stride + coordinate, quad);
  }
  return sum;
}

// values has z J z by coordinate and quad: adds `weight` times their sums over coordinates to the log-densities.
fn addDivergences(quad: u32, first: u32, done: u32, weight: f32) {
  var sum = vec4f();
  for (var k = 0u; k < params.dimension; k++) {
    sum += valueAt(k, quad);
  }
  sum *= weight;
  if (tangents == 1u) {
    addLogDensity(first, done, sum.y);
    addLogDensity(first + 1u, done, sum.w);
    return;
  }
  addLogDensity(first, done, sum.y);
  addLogDensity(first, done + 1u, sum.z);
  if (tangents == 3u) {
    addLogDensity(first, done + 2u, sum.w);
  }
}

fn addLogDensity(point: u32, number: u32, value: f32) {
  if (point >= params.rows || number >= params.probes) {
    return;
  }
  let column = select(point * params.probes + number, point, params.exact == 1u);
  let i = params.flowOffset + params.rows * params.dimension + column;
  flow[i] = plusCompensated(i, flow[i], value);
}

// The total of number i of `flow` with `value` added; what rounding took stays where the number's lost part is.
fn plusCompensated(i: u32, total: f32, value: f32) -> f32 {
  let columns = select(params.probes, 1u, params.exact == 1u);
  let place = i + params.rows * (params.dimension + columns);
  let term = value + flow[place];
  let sum = total + term;
  let holds = finite(sum) == 1.0;
  let rounded = select(0.0, sum, holds); // a compiler that computes with real numbers cannot see through it
  let arrived = rounded - total;
  flow[place] = select(0.0, (total - (rounded - arrived)) + (term - arrived), holds);
  return select(sum, rounded, holds);
}

fn pointsPerQuad() -> u32 {
  return select(select(1u, 2u, tangents == 1u), 4u, tangents == 0u);
}

// Which lanes of a quad hold points; the others hold tangents.
fn isPrimal() -> vec4<bool> {
  return vec4<bool>(true, tangents == 0u, tangents < 2u, tangents == 0u);
}

fn onPrimals(x: f32) -> vec4f {
  return select(vec4f(), vec4f(x), isPrimal());
}

// A coordinate of the points of a quad, in their lanes.
fn pointsAt(first: u32, coordinate: u32) -> vec4f {
  let x = pointAt(first, coordinate);
  if (tangents == 0u) {
    return vec4f(x, pointAt(first + 1u, coordinate), pointAt(first + 2u, coordinate), pointAt(first + 3u, coordinate));
  }
  if (tangents == 1u) {
    return vec4f(x, 0.0, pointAt(first + 1u, coordinate), 0.0);
  }
  return vec4f(x, 0.0, 0.0, 0.0);
}

fn pointAt(point: u32, coordinate: u32) -> f32 {
  if (point >= params.rows) {
    return 0.0;
  }
  return flow[params.flowOffset + point * params.dimension + coordinate];
}

// The points of a quad a step further; lanes of tangents hold nothing.
fn movedPoints(first: u32, coordinate: u32, x: vec4f, change: vec4f) -> vec4f {
  let moved = movedPoint(first, coordinate, x.x, change.x);
  if (tangents == 0u) {
    return vec4f(
      moved,
      movedPoint(first + 1u, coordinate, x.y, change.y),
      movedPoint(first + 2u, coordinate, x.z, change.z),
      movedPoint(first + 3u, coordinate, x.w, change.w),
    );
  }
  if (tangents == 1u) {
    return vec4f(moved, 0.0, movedPoint(first + 1u, coordinate, x.z, change.z), 0.0);
  }
  return vec4f(moved, 0.0, 0.0, 0.0);
}

fn movedPoint(point: u32, coordinate: u32, x: f32, change: f32) -> f32 {
  if (point >= params.rows) {
    return 0.0;
  }
  return plusCompensated(params.flowOffset + point * params.dimension + coordinate, x, change);
}

fn storePoints(first: u32, coordinate: u32, x: vec4f) {
  storePoint(first, coordinate, x.x);
  if (tangents == 0u) {
    storePoint(first + 1u, coordinate, x.y);
    storePoint(first + 2u, coordinate, x.z);
    storePoint(first + 3u, coordinate, x.w);
  }
  if (tangents == 1u) {
    storePoint(first + 1u, coordinate, x.z);
  }
}

fn storePoint(point: u32, coordinate: u32, x: f32) {
  if (point < params.rows) {
    flow[params.flowOffset + point * params.dimension + coordinate] = x;
  }
}

// A coordinate of the directions from number `done` on, in the lanes of tangents.
fn directionsAt(first: u32, coordinate: u32, done: u32) -> vec4f {
  if (tangents == 0u) {
    return vec4f();
  }
  let z = directionAt(first, coordinate, done);
  if (tangents == 1u) {
    return vec4f(0.0, z, 0.0, directionAt(first + 1u, coordinate, done));
  }
  let second = directionAt(first, coordinate, done + 1u);
  if (tangents == 2u) {
    return vec4f(0.0, z, second, 0.0);
  }
  return vec4f(0.0, z, second, directionAt(first, coordinate, done + 2u));
}

fn directionAt(point: u32, coordinate: u32, number: u32) -> f32 {
  if (params.exact == 1u) {
    return f32(coordinate == number);
  }
  if (point >= params.rows || number >= params.probes) {
    return 0.0;
  }
  return probe[params.probeOffset + (number * params.rows + point) * params.dimension + coordinate];
}

// A quad of a hidden layer's values: f of points, f' times the tangents beside them.
fn activated(x: vec4f) -> vec4f {
  if (tangents == 0u) {
    return vec4f(valueOf(x.x), valueOf(x.y), valueOf(x.z), valueOf(x.w));
  }
  if (tangents == 1u) {
    return vec4f(valueOf(x.x), slopeOf(x.x) * x.y, valueOf(x.z), slopeOf(x.z) * x.w);
  }
  return vec4f(valueOf(x.x), slopeOf(x.x) * x.yzw);
}

// The order of activationKinds in src/kernels/elementwise.ts.
fn valueOf(x: f32) -> f32 {
  switch activation {
    case 1u: { return tanh0(x); }
    case 2u: { return relu0(x); }
    case 3u: { return gelu0(x); }
    case 4u: { return geluTanh0(x); }
    case 5u: { return softplus0(x); }
    case 6u: { return sin0(x); }
    case 7u: { return elu0(x); }
    case 8u: { return selu0(x); }
    default: { return silu0(x); }
  }
}

fn slopeOf(x: f32) -> f32 {
  switch activation {
    case 1u: { return tanh1(x); }
    case 2u: { return relu1(x); }
    case 3u: { return gelu1(x); }
    case 4u: { return geluTanh1(x); }
    case 5u: { return softplus1(x); }
    case 6u: { return sin1(x); }
    case 7u: { return elu1(x); }
    case 8u: { return selu1(x); }
    default: { return silu1(x); }
  }
}
