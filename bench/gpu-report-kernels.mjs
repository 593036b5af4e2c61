/** The kernels that the report is about: every variant, as calls of a stated shape. */

const region = (/** @type {string} */ name) => ({ kind: "state", name });

/** @param {string} name @param {number} length @param {number} [offset] */
const place = (name, length, offset = 0) => ({ region: region(name), offset, length });

/** @param {{ lower: Function, activationKinds: readonly string[] }} backend */
export function kernelsToReport({ lower }) {
  /** Dispatches of one call. */
  const dispatches = (call, linear) =>
    lower(
      { calls: [{ bindings: {}, parameters: {}, flops: 0, bytes: 0, ...call }] },
      { traits: { software: false }, linear },
    ).dispatches;

  const products = productShapes.flatMap((product) => {
    const { kernel, segments = 1 } = product;
    const calls = dispatches(productCall(product), () => ({ kernel, segments }));
    return calls.map((dispatch, i) => {
      const joins = i === 1;
      const name = joins ? `linear-join, ${segments} segments` : `linear-${kernel}, ${product.name}`;
      return {
        name,
        shape: shapeOf(product),
        dispatch,
        note: product.note,
        ...(joins ? joinWork(product) : productWork(product)),
      };
    });
  });
  const others = otherCalls().flatMap(({ name, call, flops, bytes }) =>
    dispatches(call).map((dispatch, i, all) => ({
      name: all.length > 1 ? `${name}, ${i === 0 ? "segments" : "their join"}` : name,
      shape: call.shape,
      dispatch,
      flops,
      bytes,
      note: undefined,
    })),
  );
  return [...products, ...others];
}

const forSoftware = "chosen on software adapters only, where what counts is how few values are read for each FMA";

/** The products of a training step at width 512, batch 512, one probe; and those where other kernels are chosen. */
const productShapes = [
  { name: "layer", kernel: "tile", rows: 1024, columns: 512, depth: 512, groups: 2, epilogue: "silu", bias: true },
  { name: "product alone", kernel: "tile", rows: 1024, columns: 512, depth: 512 },
  { name: "gradient of the input", kernel: "tile", rows: 1024, columns: 512, depth: 512, right: true },
  { name: "gradient of weights and bias", kernel: "tile", rows: 512, columns: 512, depth: 1024, left: true, sums: 512 },
  { name: "any alignment", kernel: "tile", rows: 1021, columns: 509, depth: 511 },
  { name: "layer", kernel: "small", rows: 1024, columns: 128, depth: 128, groups: 2, epilogue: "silu", bias: true },
  {
    name: "gradient of weights and bias, in 6 segments",
    kernel: "small",
    rows: 128,
    columns: 128,
    depth: 1024,
    left: true,
    sums: 512,
    segments: 6,
  },
  { name: "first layer", kernel: "small", rows: 1024, columns: 512, depth: 3, groups: 2, epilogue: "silu", bias: true },
  { name: "last layer, in 3 segments", kernel: "small", rows: 1024, columns: 2, depth: 512, bias: true, segments: 3 },
  {
    name: "layer",
    kernel: "subgroups",
    rows: 1024,
    columns: 512,
    depth: 512,
    groups: 2,
    epilogue: "silu",
    bias: true,
    note: forSoftware,
  },
  {
    name: "gradient of weights and bias",
    kernel: "subgroups",
    rows: 512,
    columns: 512,
    depth: 1024,
    left: true,
    sums: 512,
    note: forSoftware,
  },
  {
    name: "layer",
    kernel: "registers",
    rows: 1024,
    columns: 512,
    depth: 512,
    groups: 2,
    epilogue: "silu",
    bias: true,
    note: forSoftware,
  },
  {
    name: "gradient of weights and bias",
    kernel: "registers",
    rows: 512,
    columns: 512,
    depth: 1024,
    left: true,
    sums: 512,
    note: forSoftware,
  },
  { name: "last layer", kernel: "strip", rows: 1024, columns: 2, depth: 512, bias: true, note: forSoftware },
];

function shapeOf({ rows, columns, depth, groups = 1, left, right }) {
  const transposed = [left && "left", right && "right"].filter(Boolean);
  const parts = [`${rows} x ${depth} by ${depth} x ${columns}`, groups > 1 && `${groups} groups`];
  return [...parts, transposed.length > 0 && `${transposed.join(" and ")} transposed`].filter(Boolean).join(", ");
}

function productCall({ name, rows, columns, depth, groups = 1, epilogue, bias, left, right, sums = 0 }) {
  const count = (rows * columns) / groups;
  const product = (index) => ({ from: "product", index });
  const step = (index) => ({ from: "step", index });
  return {
    kernel: "linear",
    label: name,
    parameters: {
      rows,
      columns,
      depth,
      transposeLeft: left ? 1 : 0,
      transposeRight: right ? 1 : 0,
      biasRows: bias ? rows / groups : 0,
      hasAddend: 0,
      activation: 0,
      groups,
      sumsDepth: sums,
    },
    bindings: {
      left: place("left", rows * depth),
      right: place("right", depth * columns),
      ...(bias && { bias: place("bias", columns) }),
      ...(!epilogue && { out: place("out", rows * columns) }),
      ...(sums && { sums: place("sums", columns) }),
    },
    ...(epilogue && {
      chain: {
        count,
        loads: [],
        steps: [
          { function: `${epilogue}0`, operands: [product(0)], dtype: "f32" },
          { function: `${epilogue}1`, operands: [product(0)], dtype: "f32" },
          { function: "multiply", operands: [step(1), product(1)], dtype: "f32" },
        ],
        stores: [
          { placement: place("out", count), source: step(0), dtype: "f32" },
          { placement: place("out", count, count), source: step(2), dtype: "f32" },
          { placement: place("kept", 2 * count), source: product(0), dtype: "f32" },
          { placement: place("kept", 2 * count, count), source: product(1), dtype: "f32" },
        ],
      },
    }),
  };
}

/** Rows and columns that share what they read from global memory: a workgroup's tile, or an invocation's. */
const sharing = { tile: [64, 64], small: [32, 32], subgroups: [16, 32], registers: [8, 8], strip: [8, 4] };

function productWork({ kernel, rows, columns, depth, epilogue, segments = 1 }) {
  const [r, c] = sharing[kernel];
  const tiles = Math.ceil(rows / r) * Math.ceil(columns / c);
  const stored = segments > 1 ? segments : epilogue ? 2 : 1;
  return { flops: 2 * rows * columns * depth, bytes: 4 * (tiles * (r + c) * depth + stored * rows * columns) };
}

function joinWork({ rows, columns, segments }) {
  return { flops: segments * rows * columns, bytes: 4 * (segments + 1) * rows * columns };
}

function otherCalls() {
  const parameters = 788_992;
  return [
    ...["sum", "max", "sumOfSquares"].flatMap((kind, k) =>
      [
        [8192, 2, 1],
        [512, 512, 1],
        [1, parameters, 1],
        [1, 512, 512],
      ].map(([outer, reduced, inner]) => ({
        name: `reduce, ${kind}, ${outer} x ${reduced} x ${inner}`,
        call: {
          kernel: "reduce",
          label: "reduce",
          shape: `${outer} x ${reduced} x ${inner}`,
          parameters: { outer, reduced, inner, kind: k, scale: 1 },
          bindings: { in: place("in", outer * reduced * inner), out: place("out", outer * inner) },
        },
        flops: outer * reduced * inner,
        bytes: 4 * (outer * reduced * inner + outer * inner),
      })),
    ),
    ...["bits", "uniform", "normal", "rademacher", "index"].map((kind, k) => ({
      name: `random, ${kind}`,
      call: {
        kernel: "random",
        label: "random",
        shape: "1024 numbers",
        parameters: { count: 1024, kind: k, stream: 1, bound: 1 },
        bindings: { seed: place("seed", 2), counter: place("counter", 1), out: place("out", 1024) },
      },
      flops: kind === "normal" ? 40 * 1024 : 1024,
      bytes: 4 * 1024,
    })),
    ...moves(),
    adam(parameters),
  ];
}

function moves() {
  const sizes = { size0: 1, size1: 1, size2: 512, size3: 3 };
  const strides = (side) => ({
    [`${side}Start`]: 0,
    [`${side}Stride0`]: 0,
    [`${side}Stride1`]: 0,
    [`${side}Stride2`]: 3,
    [`${side}Stride3`]: 1,
  });
  const calls = [
    {
      kernel: "copy",
      shape: "512 x 3",
      parameters: { ...sizes, ...strides("source"), ...strides("target") },
      bindings: { source: place("in", 1536), target: place("out", 1536) },
    },
    {
      kernel: "gather",
      shape: "512 rows of 2",
      parameters: { count: 512, width: 2, rows: 4096 },
      bindings: { table: place("table", 8192), indices: place("indices", 512), out: place("out", 1024) },
    },
    {
      kernel: "scatterAdd",
      shape: "512 rows of 2",
      parameters: { count: 512, width: 2, rows: 4096 },
      bindings: { values: place("values", 1024), indices: place("indices", 512), out: place("out", 8192) },
    },
    {
      kernel: "replaceRow",
      shape: "a row of 64",
      parameters: { rows: 64, width: 64 },
      bindings: { index: place("index", 1), row: place("row", 64), table: place("table", 4096) },
    },
  ];
  return calls.map((call) => ({ name: call.kernel, call: { ...call, label: call.kernel }, flops: 0, bytes: 8 * 1024 }));
}

/** An optimizer's chain: moments, step, and a select that keeps the old values after a bad step. */
function adam(count) {
  const load = (index) => ({ from: "load", index });
  const step = (index) => ({ from: "step", index });
  const constant = (value) => ({ from: "constant", value });
  const inOrder = (name) => ({ placement: place(name, count), divisor: 1, modulus: count, dtype: "f32" });
  const scalar = (name) => ({ placement: place(name, 1), divisor: 1, modulus: 1, dtype: "f32" });
  const call = (name, ...operands) => ({ function: name, operands, dtype: "f32" });
  const states = ["parameters", "first", "second"];
  return {
    name: "elementwise, Adam's chain",
    call: {
      kernel: "elementwise",
      label: "adam",
      shape: `${count} parameters`,
      chain: {
        count,
        loads: [...states.map(inOrder), inOrder("gradient"), scalar("rate"), scalar("fine")],
        steps: [
          call("multiply", constant(0.9), load(1)),
          call("multiply", constant(0.1), load(3)),
          call("add", step(0), step(1)),
          call("multiply", load(3), load(3)),
          call("multiply", constant(0.999), load(2)),
          call("multiply", constant(0.001), step(3)),
          call("add", step(4), step(5)),
          call("sqrt", step(6)),
          call("add", step(7), constant(1e-8)),
          call("divide", step(2), step(8)),
          call("multiply", load(4), step(9)),
          call("subtract", load(0), step(10)),
          call("select", load(5), step(11), load(0)),
          call("select", load(5), step(2), load(1)),
          call("select", load(5), step(6), load(2)),
        ],
        stores: states.map((name, k) => ({ placement: place(name, count), source: step(12 + k), dtype: "f32" })),
      },
    },
    flops: 12 * count,
    bytes: 28 * count,
  };
}
