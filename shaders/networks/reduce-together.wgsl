// reduce-together: several reductions of one shape, independent of each other, as one dispatch; workgroup.y counts them. Each is
//   out[o, j] = scale * sum (or sum of squares) over r, and over k < within, of in[o, r, j within + k];
//   in [outer, reduced, inner], out [outer, inner / within].
// Norms take such sums, over places and over the channels of a group, of values and of tangents.
//
// 256 invocations: `lanes` share each of 256 / lanes columns that lie side by side; inner = 1: neighbours are lanes and read
// neighbouring r; inner > 1: neighbours are columns. Each lane takes every lanes-th element in order, four on their way at a
// time; a tree in workgroup memory joins the lanes, and one invocation a group's columns: the order is fixed. Where groups do
// not divide the columns, the last few have nothing to do.
// Long reductions come in segments, workgroup.z of num_workgroups.z; out is then [outer, segments, inner / within], and a
// second dispatch reduces that. In front stand `params`, `valueAt` and `store` (src/backends/webgpu/reduce-together.ts).
const INVOCATIONS = 256u;

var<workgroup> partial: array<f32, INVOCATIONS>; // [lane][column]

@compute @workgroup_size(256)
fn reduce(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let member = workgroup.y;
  let lanes = params.lanes;
  let within = params.within;
  let inner = params.inner;
  let columns = INVOCATIONS / lanes;
  let whole = columns - columns % within;
  let lane = select(index / columns, index % lanes, inner == 1u);
  let column = select(index % columns, index / lanes, inner == 1u);
  let first = workgroup.x * whole;
  let n = first + column; // of outer * inner
  let start = n / inner * params.reduced * inner + n % inner;
  let chunk = (params.reduced + workgroups.z - 1u) / workgroups.z;
  let end = min(params.reduced, (workgroup.z + 1u) * chunk);

  var value = 0.0;
  if (column < whole && n < params.outer * inner) {
    var r = workgroup.z * chunk + lane;
    for (; r + 3u * lanes < end; r += 4u * lanes) {
      let a = termAt(member, start + r * inner);
      let b = termAt(member, start + (r + lanes) * inner);
      let c = termAt(member, start + (r + 2u * lanes) * inner);
      let d = termAt(member, start + (r + 3u * lanes) * inner);
      value += (a + b) + (c + d);
    }
    for (; r < end; r += lanes) {
      value += termAt(member, start + r * inner);
    }
  }
  partial[lane * columns + column] = value;
  workgroupBarrier();
  for (var half = INVOCATIONS / 2u; half >= columns; half /= 2u) {
    if (index < half) {
      partial[index] += partial[index + half];
    }
    workgroupBarrier();
  }
  let group = first / within + index; // of outer * inner / within
  if ((index + 1u) * within <= whole && group < params.outer * inner / within) {
    var sum = 0.0;
    for (var k = 0u; k < within; k++) {
      sum += partial[index * within + k];
    }
    let groups = inner / within;
    store(member, (group / groups * workgroups.z + workgroup.z) * groups + group % groups, params.scale * sum);
  }
}

fn termAt(member: u32, i: u32) -> f32 {
  let value = valueAt(member, i);
  return select(value, value * value, params.squares == 1u);
}
