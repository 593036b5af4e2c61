// linear-shared: what the kernels of a matrix product for software adapters share beside shaders/linear.wgsl.

// Elements `at` of lines line .. line + 3.
fn leftAcross(line: u32, at: u32, width: u32) -> vec4f {
  let i = params.leftOffset + line * width + at;
  return vec4f(left[i], left[i + width], left[i + 2u * width], left[i + 3u * width]);
}

// Four steps of k, in order.
fn outerFour(sums: mat4x4f, left: mat4x4f, right: mat4x4f) -> mat4x4f {
  return outer(outer(outer(outer(sums, left[0], right[0]), left[1], right[1]), left[2], right[2]), left[3], right[3]);
}

fn biasElements(column: u32) -> vec4f {
  let i = params.biasOffset + column;
  return vec4f(bias[i], bias[i + 1u], bias[i + 2u], bias[i + 3u]);
}

// Four columns of a row of what linear-panel keeps, `kept`: of elements or of whole quads. Past the last column 0.
fn keptElements(row: u32, column: u32) -> vec4f {
  var four = vec4f();
  for (var c = 0u; c < 4u; c++) {
    if (column + c < params.columns) {
      four[c] = kept[params.keptOffset + row * params.columns + column + c];
    }
  }
  return four;
}

fn keepElements(at: u32, column: u32, four: vec4f) {
  for (var c = 0u; c < 4u; c++) {
    if (column + c < params.columns) {
      kept[at + column + c] = elementOf(four, c);
    }
  }
}

fn keptQuad(row: u32, column: u32) -> vec4f {
  return kept[(params.keptOffset + row * params.columns + column) >> 2u];
}

fn keepQuad(at: u32, column: u32, four: vec4f) {
  if (column < params.columns) {
    kept[(at + column) >> 2u] = four;
  }
}

// Four columns of a row, and of another one: the same row of group 1, or the one `below` rows further down.
fn finishQuads(segment: u32, row: u32, below: u32, column: u32, first: vec4f, second: vec4f) {
  let rows = params.rows / GROUPS;
  for (var i = 0u; i < 8u / GROUPS; i++) {
    let inGroup = row + i / 4u * below; // i goes to 4 for two groups
    let c = i % 4u;
    let mine = elementOf(select(first, second, i >= 4u), c);
    if (inGroup < rows && column + c < params.columns) {
      finish(segment, inGroup, column + c, mine, elementOf(second, c));
    }
  }
}

// v[i], with no index into a register.
fn elementOf(v: vec4f, i: u32) -> f32 {
  return select(select(v.x, v.y, i == 1u), select(v.z, v.w, i == 3u), i >= 2u);
}

// The sums of four columns of right, which is not transposed, over the part of the depth below sumsDepth.
fn finishColumnSums(segment: u32, column: u32, depth: vec2u) {
  var sums = vec4f();
  for (var k = depth.x; k < min(depth.y, params.sumsDepth); k++) {
    sums += rightFour(k, column, params.columns);
  }
  for (var c = 0u; c < 4u; c++) {
    if (column + c < params.columns) {
      finishSum(segment, column + c, elementOf(sums, c));
    }
  }
}
