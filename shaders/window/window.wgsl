// linear-window: how the kernels of a matrix product read a left operand that a window sees (src/kernels/convolve.ts).
// src/backends/webgpu/linear-window.ts writes what depends on the window's numbers:
//   CHANNELS, tapAt(at)   channels of a tap; which tap an element of a line is of
//   lineAt(line, at)      the line
//   seenBy(line, tap)     the first channel of what a tap of an output place sees, in elements of left; -1 for nothing
// A line of the matrix is an output place, along it lie taps, and of each tap its channels.
// Loops, not four calls: the text within is long, and software adapters take long to compile.

fn windowElement(line: u32, at: u32) -> f32 {
  let tap = tapAt(at);
  let first = seenBy(line, tap);
  let element = f32(left[params.leftOffset + u32(max(first, 0)) + at - tap * CHANNELS]);
  return select(0.0, element, first >= 0);
}

// Elements at .. at + 3 of a line.
fn windowElements(line: u32, at: u32, width: u32) -> vec4f {
  var four = vec4f();
  for (var i = 0u; i < 4u; i++) {
    four = select(four, vec4f(windowElement(line, at + i)), vec4u(0u, 1u, 2u, 3u) == vec4u(i));
  }
  return four;
}

// The same where they are a quad of a tap's channels.
fn windowQuad(line: u32, at: u32, width: u32) -> vec4f {
  let tap = tapAt(at);
  let first = seenBy(lineAt(line, at), tap);
  var quad = vec4f();
  if (first >= 0) {
    quad = vec4f(left[(params.leftOffset + u32(first) + at - tap * CHANNELS) >> 2u]);
  }
  return quad;
}

// Element `at` of lines line .. line + 3.
fn windowAcross(line: u32, at: u32, width: u32) -> vec4f {
  var four = vec4f();
  for (var i = 0u; i < 4u; i++) {
    four = select(four, vec4f(windowElement(line + i, at)), vec4u(0u, 1u, 2u, 3u) == vec4u(i));
  }
  return four;
}

// Of right, each tap's matrix transposed: elements at .. at + 3 of a column.
fn tapwiseElements(column: u32, at: u32, width: u32) -> vec4f {
  return vec4f(
    f32(right[tapwise(column, at)]),
    f32(right[tapwise(column, at + 1u)]),
    f32(right[tapwise(column, at + 2u)]),
    f32(right[tapwise(column, at + 3u)]),
  );
}

fn tapwiseQuad(column: u32, at: u32, width: u32) -> vec4f {
  return vec4f(right[tapwise(column, at) >> 2u]);
}

fn tapwise(column: u32, at: u32) -> u32 {
  let tap = tapAt(at);
  return params.rightOffset + (tap * params.columns + column) * CHANNELS + at - tap * CHANNELS;
}
