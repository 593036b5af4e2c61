/**
 * The functions that elementwise chains are made of. Each is an op's `elementwise` name, a function of that name in
 * shaders/elementwise.wgsl or activation.wgsl and a loop of that name in wasm/apply.ts; the position in the list is the
 * opcode that the WASM kernel reads. Append only: the order is the opcodes'.
 */

export const activationKinds = ["silu", "tanh", "relu", "gelu", "geluTanh", "softplus", "sin", "elu", "selu"] as const;
export type ActivationKind = (typeof activationKinds)[number];

const arithmetic = {
  negate: 1,
  abs: 1,
  sign: 1, // -1, 0 or 1
  sqrt: 1,
  exp: 1,
  expm1: 1,
  log: 1,
  log1p: 1,
  sin: 1, // own range reduction: absolute error <= 2e-7 for |x| <= 1e4
  cos: 1,
  floor: 1,
  finite: 1, // 1 where the exponent bits say finite, else 0
  toFloat: 1, // u32 -> f32
  increment: 1, // u32 -> u32, x + 1, wrapping
  add: 2,
  subtract: 2,
  multiply: 2,
  divide: 2,
  minimum: 2,
  maximum: 2,
  less: 2, // 1 where a < b, else 0
  lessEqual: 2,
  equal: 2,
  select: 3, // a where the condition is not 0, else b; nothing of the other one gets through
} as const;

/** Name -> number of operands. Activations are named by kind and order of derivative: "silu0" ... "silu3". */
export const elementwiseFunctions: Readonly<Record<string, number>> = {
  ...arithmetic,
  ...Object.fromEntries(activationKinds.flatMap((kind) => [0, 1, 2, 3].map((order) => [`${kind}${order}`, 1]))),
};

/** Steps that draw random numbers (src/kernels/random.ts): operands are seed (two words) and counter, all u32. */
export const randomFunctions = [
  "randomBits",
  "randomUniform",
  "randomNormal",
  "randomRademacher",
  "randomIndex",
] as const;

export const elementwiseOpcodes: Readonly<Record<string, number>> = Object.fromEntries(
  Object.keys(elementwiseFunctions).map((name, opcode) => [name, opcode]),
);
