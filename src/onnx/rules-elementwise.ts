/** Arithmetic, comparisons and activations as ONNX's operators, which broadcast as our wrappers do. */
import type { ActivationAttributes, ActivationKind } from "../ops/activation.ts";
import {
  noOperator,
  type OpenNode,
  type Result,
  type Rule,
  type Rules,
  type Translation,
  type Value,
} from "./translation.ts";

/** Names of ONNX's element types. */
const FLOAT = 1;
const BOOL = 9;

const LARGEST_F32 = (2 - 2 ** -23) * 2 ** 127;

type Make = (operator: string, ...inputs: string[]) => string;

/** An op on the names of its inputs, by what makes an operator's output. */
function elementwise(
  value: (make: Make, inputs: readonly string[], translation: Translation, node: OpenNode) => string,
): Rule {
  return (node, translation) => {
    const operands = node.inputs.map(({ result }) => result);
    const make: Make = (operator, ...inputs) => translation.builder.operation(operator, inputs);
    const names = operands.map((operand) => translation.nameOf(operand));
    return { from: value(make, names, translation, node), shape: translation.broadcast(operands) };
  };
}

/** An op that is one operator. */
const same = (operator: string): Rule => elementwise((make, inputs) => make(operator, ...inputs));

function cast(translation: Translation, value: string, to: number): string {
  return translation.builder.operation("Cast", [value], { to: { int: to } });
}

/** A comparison, whose bool becomes 1 or 0. */
const comparison = (operator: string): Rule =>
  elementwise((make, inputs, translation) => cast(translation, make(operator, ...inputs), FLOAT));

type Number = (value: number) => string;

/** f by kind, of the value of this name. */
const activations: Readonly<Record<ActivationKind, (make: Make, x: string, number: Number) => string>> = {
  silu: (make, x) => make("Mul", x, make("Sigmoid", x)),
  tanh: (make, x) => make("Tanh", x),
  relu: (make, x) => make("Relu", x),
  gelu: (make, x, number) => {
    const twice = make("Add", make("Erf", make("Mul", x, number(Math.SQRT1_2))), number(1));
    return make("Mul", make("Mul", x, number(0.5)), twice);
  },
  // (1 + tanh u) / 2 = sigmoid(2 u)
  geluTanh: (make, x, number) => {
    const cubic = make("Add", make("Mul", make("Mul", x, x), number(0.044715)), number(1));
    const u = make("Mul", make("Mul", x, cubic), number(2 * Math.sqrt(2 / Math.PI)));
    return make("Mul", x, make("Sigmoid", u));
  },
  softplus: (make, x) => make("Softplus", x),
  sin: (make, x) => make("Sin", x),
  elu: (make, x) => make("Elu", x),
  selu: (make, x) => make("Selu", x),
};

const activation = elementwise((make, inputs, { builder }, node) => {
  const { kind, order } = node.attributes as unknown as ActivationAttributes;
  if (order > 0) throw noOperator(node, `a derivative of ${kind}`);
  return activations[kind](make, inputs[0] as string, (value) => builder.scalar(value));
});

/**
 * Softmax along the last axis in place of exp(x - max(x)) / sum(exp(x - max(x))), which is how ours is written: an operator
 * that runtimes compute at once. Undefined: the node is another quotient.
 */
function softmaxOf(node: OpenNode, { builder }: Translation): Result | undefined {
  const last = node.shape.length - 1;
  const made = (name: unknown, operator: string) => {
    const operation = typeof name === "string" ? builder.madeBy(name) : undefined;
    return operation?.operator === operator ? operation : undefined;
  };
  const [powers, total] = node.inputs.map(({ result }) => result.from);
  const sum = made(total, "ReduceSum");
  const less = made(made(powers, "Exp")?.inputs[0], "Sub");
  const largest = made(less?.inputs[1], "ReduceMax");
  const x = less?.inputs[0];
  const along = largest?.attributes["axes"];
  const isLast =
    along && "ints" in along && along.ints.join() === `${last}` && sum?.inputs[1] === builder.integers([last]);
  if (x === undefined || sum?.inputs[0] !== powers || largest?.inputs[0] !== x || !isLast) return undefined;
  return { from: builder.operation("Softmax", [x], { axis: { int: last } }), shape: node.shape };
}

export const elementwiseRules: Rules = {
  add: same("Add"),
  subtract: same("Sub"),
  multiply: same("Mul"),
  divide: (node, translation) => softmaxOf(node, translation) ?? same("Div")(node, translation),
  minimum: same("Min"),
  maximum: same("Max"),
  negate: same("Neg"),
  abs: same("Abs"),
  sign: same("Sign"),
  sqrt: same("Sqrt"),
  exp: same("Exp"),
  log: same("Log"),
  sin: same("Sin"),
  cos: same("Cos"),
  floor: same("Floor"),
  // tanh(x / 2) (exp(x) + 1): near 0 and far below it all digits stay.
  expm1: elementwise((make, [x], { builder }) => {
    const half = make("Tanh", make("Mul", x as string, builder.scalar(0.5)));
    return make("Mul", half, make("Add", make("Exp", x as string), builder.scalar(1)));
  }),
  // With u = 1 + x as rounded, log(u) x / (u - 1), or x where u is 1: what rounding took from u is in both (Kahan).
  log1p: elementwise((make, [x], { builder }) => {
    const u = make("Add", x as string, builder.scalar(1));
    const less = make("Sub", u, builder.scalar(1));
    const ratio = make("Div", make("Mul", make("Log", u), x as string), less);
    return make("Where", make("Equal", less, builder.scalar(0)), x as string, ratio);
  }),
  finite: elementwise((make, [x], translation) => {
    const largest = translation.builder.scalar(LARGEST_F32);
    return cast(translation, make("LessOrEqual", make("Abs", x as string), largest), FLOAT);
  }),
  less: comparison("Less"),
  lessEqual: comparison("LessOrEqual"),
  equal: comparison("Equal"),
  select: elementwise((make, [condition, a, b], translation) =>
    make("Where", cast(translation, condition as string, BOOL), a as string, b as string),
  ),
  toFloat: elementwise((_make, [x], translation) => cast(translation, x as string, FLOAT)),
  increment: elementwise((make, [x], { builder }) =>
    make("Mod", make("Add", x as string, builder.integerScalar(1)), builder.integerScalar(2 ** 32)),
  ),
  activation,
  stopGradient: ({ inputs: [x] }) => (x as Value).result,
};
