// linear-panel: a product by panels of right that an invocation holds (shaders/linear.wgsl says what is put around this),
// where subgroups have exactly four lanes: GPUs that are a CPU's vector units. SwiftShader reads a storage
// buffer lane by lane, with a branch for each, about fifteen times as dear as an FMA; a variable at a constant index it
// reads as one vector. So an invocation copies a panel of right, PANEL of the depth by 4 columns, into a variable, and
// then runs down many rows, whose elements four lanes read for each other: 4 reads per lane per 64 FMAs on vec4f.
//
// Invocation (4 i + lane, j): columns 4 (4 i + lane) on, `rowsEach` rows from j `rowsEach` on. Invocations past the last
// column stay to read rows for the others. Sums over one panel are kept, and read again for the next.
// src/backends/webgpu/linear-panel.ts adds what depends on the operands' kinds:
//   PANEL                    a multiple of 16, at most 64
//   keptFour(row, column), keepFour(at, column, four)  four columns of a row of what is kept; `at`: where the row begins
//   sumPanel(row, start, lane, sum)  sum + row start .. start + PANEL of left times the panel, step by step
//   finishSums(column, four) what becomes of four columns' sums
var<private> panel: array<vec4f, PANEL>; // [k]

@compute @workgroup_size(4)
fn linear(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  params = uniforms;
  let column = (workgroup.x * 4u + lane) * 4u;
  let first = workgroup.y * params.rowsEach;
  let end = min(first + params.rowsEach, params.rows);
  let added = biasFour(column);
  var columnSums = vec4f();
  for (var start = 0u; start < params.depth; start += PANEL) {
    for (var k = 0u; k < PANEL; k += 4u) {
      let block = rightBlock(start + k, column);
      panel[k] = block[0];
      panel[k + 1u] = block[1];
      panel[k + 2u] = block[2];
      panel[k + 3u] = block[3];
      if (SUMS) {
        let summed = upTo(params.sumsDepth, start + k, block);
        columnSums += summed[0] + summed[1] + summed[2] + summed[3];
      }
    }
    for (var row = first; row < end; row++) {
      var sum = select(vec4f(), added, row < params.biasRows);
      if (start > 0u) {
        sum = keptFour(row, column);
      }
      keepFour(params.keptOffset + row * params.columns, column, sumPanel(row, start, lane, sum));
    }
  }
  if (SUMS && workgroup.y == 0u) {
    finishSums(column, columnSums);
  }
}

// Steps k .. k + 3 of a row of left, 0 past the depth.
fn leftWithin(row: u32, k: u32) -> vec4f {
  let four = leftSteps(row, k);
  if (DEPTH_IS_WHOLE) {
    return four;
  }
  return select(vec4f(), four, vec4u(k, k + 1u, k + 2u, k + 3u) < vec4u(params.depth));
}
