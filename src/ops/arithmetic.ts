/**
 * Arithmetic, elementwise. Operands are nodes or numbers and broadcast (axes aligned from the right, sizes equal or
 * 1). Comparisons give 1 or 0; they, `sign`, `floor` and `finite` have derivative zero. All throw
 * {@link ConfigError} when shapes or element types do not fit.
 */
import type { DType, Node } from "../graph/node.ts";
import type { OpCases, OpDefinition } from "../graph/op.ts";
import {
  applyElementwise,
  broadcastTogether,
  defineElementwise,
  type ElementwiseRule,
  elementwiseCases,
  expectDTypes,
  type Operand,
} from "./elementwise.ts";
import { broadcast } from "./shape.ts";
import { constant, constantValue } from "./sources.ts";

type Unary = ((x: Operand) => Node) & { readonly op: OpDefinition<null> };
type Binary = ((a: Operand, b: Operand) => Node) & { readonly op: OpDefinition<null> };
type DTypeRule = NonNullable<ElementwiseRule["dtype"]>;

/** An op of one input, with its derivative as a node; no derivative given: it is zero everywhere. */
function unary(
  name: string,
  value: (x: number) => number,
  derivative?: (x: Node, y: Node) => Node,
  dtype?: DTypeRule,
): Unary {
  const slope = (node: Node) => (derivative as NonNullable<typeof derivative>)(node.inputs[0] as Node, node);
  const make = defineElementwise({
    name,
    operands: 1,
    value,
    ...(dtype && { dtype }),
    ...(derivative && {
      jvp: (node, [dx]) => dx && multiply(dx, slope(node)),
      vjp: (node, cotangent) => [multiply(cotangent, slope(node))],
    }),
  });
  return Object.assign((x: Operand) => applyElementwise(make, value, [x]), { op: make.op });
}

type BinaryRules = Pick<ElementwiseRule, "jvp" | "vjp">;

/** An op of two inputs. `simplify` may return an operand as the result where that is exact. */
function binary(
  name: string,
  value: (a: number, b: number) => number,
  rules: BinaryRules = {},
  simplify: (a: Node, b: Node) => Node | undefined = () => undefined,
): Binary {
  const make = defineElementwise({ name, operands: 2, value, ...rules });
  const wrapper = (a: Operand, b: Operand): Node => {
    const [left, right] = broadcastTogether(name, [a, b]) as [Node, Node];
    return simplify(left, right) ?? applyElementwise(make, value, [left, right]);
  };
  return Object.assign(wrapper, { op: make.op });
}

export const negate: Unary = unary(
  "negate",
  (x) => -x,
  (x) => constant(-1, x.shape),
);
export const abs: Unary = unary("abs", Math.abs, (x) => sign(x));
/** -1, 0 or 1. */
export const sign: Unary = unary("sign", Math.sign);
export const sqrt: Unary = unary("sqrt", Math.sqrt, (_x, y) => divide(0.5, y));
export const exp: Unary = unary("exp", Math.exp, (_x, y) => y);
/** exp(x) - 1, accurate near 0. */
export const expm1: Unary = unary("expm1", Math.expm1, (x) => exp(x)); // not y + 1, which cancels for x << 0
/** Natural logarithm. */
export const log: Unary = unary("log", Math.log, (x) => divide(1, x));
/** log(1 + x), accurate near 0. */
export const log1p: Unary = unary("log1p", Math.log1p, (x) => divide(1, add(x, 1)));
/** Radians. */
export const sin: Unary = unary("sin", Math.sin, (x) => cos(x));
/** Radians. */
export const cos: Unary = unary("cos", Math.cos, (x) => negate(sin(x)));
export const floor: Unary = unary("floor", Math.floor);
/** 1 where x is a finite number, 0 where it is infinite or not a number. */
export const finite: Unary = unary("finite", (x) => (Number.isFinite(x) ? 1 : 0));

/** The rule of an op of one u32. */
function ofInteger(name: string, result: DType): DTypeRule {
  return (given) => expectDTypes(name, given, ["u32"], result);
}

/** u32 to f32; exact up to 2^24. */
export const toFloat: Unary = unary("toFloat", (x) => x, undefined, ofInteger("toFloat", "f32"));
/** x + 1 of a u32, modulo 2^32. */
export const increment: Unary = unary("increment", (x) => (x + 1) % 2 ** 32, undefined, ofInteger("increment", "u32"));

export const add: Binary = binary(
  "add",
  (a, b) => a + b,
  { jvp: (_node, [da, db]) => sumOf(da, db), vjp: (_node, cotangent) => [cotangent, cotangent] },
  (a, b) => (constantValue(b) === 0 ? a : constantValue(a) === 0 ? b : undefined),
);

export const subtract: Binary = binary(
  "subtract",
  (a, b) => a - b,
  {
    jvp: (_node, [da, db]) => (da && db ? subtract(da, db) : (da ?? (db && negate(db)))),
    vjp: (_node, cotangent) => [cotangent, negate(cotangent)],
  },
  (a, b) => (constantValue(b) === 0 ? a : undefined),
);

export const multiply: Binary = binary(
  "multiply",
  (a, b) => a * b,
  {
    jvp: ({ inputs: [a, b] }, [da, db]) => sumOf(da && multiply(da, b as Node), db && multiply(a as Node, db)),
    vjp: ({ inputs: [a, b] }, cotangent) => [multiply(cotangent, b as Node), multiply(cotangent, a as Node)],
  },
  (a, b) => {
    if (constantValue(b) === 1) return a;
    if (constantValue(a) === 1) return b;
    if (constantValue(b) === -1) return negate(a);
    return constantValue(a) === -1 ? negate(b) : undefined;
  },
);

export const divide: Binary = binary(
  "divide",
  (a, b) => a / b,
  {
    jvp: (node, [da, db]) => {
      const b = node.inputs[1] as Node;
      if (!db) return da && divide(da, b);
      const shrinking = multiply(node, db);
      return divide(da ? subtract(da, shrinking) : negate(shrinking), b);
    },
    vjp: (node, cotangent) => {
      const quotient = divide(cotangent, node.inputs[1] as Node);
      return [quotient, negate(multiply(quotient, node))];
    },
  },
  (a, b) => (constantValue(b) === 1 ? a : undefined),
);

/** The rules of an op that passes one of its two inputs on: the first where `takesFirst` is 1. */
function choosing(takesFirst: (a: Node, b: Node) => Node): BinaryRules {
  const first = ({ inputs: [a, b] }: Node) => takesFirst(a as Node, b as Node);
  return {
    jvp: (node, [da, db]) => (da || db ? select(first(node), da ?? 0, db ?? 0) : undefined),
    vjp: (node, cotangent) => [select(first(node), cotangent, 0), select(first(node), 0, cotangent)],
  };
}

/** The smaller one; where equal, the derivative is the first's. */
export const minimum: Binary = binary(
  "minimum",
  Math.min,
  choosing((a, b) => lessEqual(a, b)),
);
/** The larger one; where equal, the derivative is the first's. */
export const maximum: Binary = binary(
  "maximum",
  Math.max,
  choosing((a, b) => lessEqual(b, a)),
);

/** 1 where a < b, else 0. */
export const less: Binary = binary("less", (a, b) => (a < b ? 1 : 0));
/** 1 where a <= b, else 0. */
export const lessEqual: Binary = binary("lessEqual", (a, b) => (a <= b ? 1 : 0));
/** 1 where a = b, else 0. */
export const equal: Binary = binary("equal", (a, b) => (a === b ? 1 : 0));

const choose = (condition: number, a: number, b: number) => (condition !== 0 ? a : b);

const selectOp = defineElementwise({
  name: "select",
  operands: 3,
  value: choose,
  dtype: ([condition, a = "f32", b = "f32"]) => expectDTypes("select", [condition as DType, a, b], ["f32", a, a], a),
  jvp: ({ inputs: [condition] }, [, da, db]) => (da || db ? select(condition as Node, da ?? 0, db ?? 0) : undefined),
  vjp: ({ inputs: [condition] }, cotangent) => [
    undefined,
    select(condition as Node, cotangent, 0),
    select(condition as Node, 0, cotangent),
  ],
});

/** a where the condition (f32) is not 0, else b; both f32 or both u32. Of the one not taken nothing gets through, not even NaN. */
export const select: ((condition: Operand, a: Operand, b: Operand) => Node) & { readonly op: OpDefinition<null> } =
  Object.assign(
    (condition: Operand, a: Operand, b: Operand) => {
      const operands = broadcastTogether("select", [condition, a, b]) as [Node, Node, Node];
      const known = constantValue(operands[0]);
      if (known !== undefined) return known !== 0 ? operands[1] : operands[2];
      return applyElementwise(selectOp, choose, operands);
    },
    { op: selectOp.op },
  );

/** x squared. */
export function square(x: Node): Node {
  return multiply(x, x);
}

/** The sum of those that are not undefined (zero); undefined when all are. */
export function sumOf(...terms: readonly (Node | undefined)[]): Node | undefined {
  return terms.reduce((total, term) => (total && term ? add(total, term) : (total ?? term)), undefined);
}

/** Zeros of the shape of `x`. */
export function zerosLike(x: Node): Node {
  return broadcast(constant(0), x.shape);
}

/** Of one operand, and of two: the ops of this file but {@link select}. */
export const unaryOps: readonly Unary[] = [
  ...[negate, abs, sign, sqrt, exp, expm1, log, log1p, sin, cos, floor, finite, toFloat, increment],
];
export const binaryOps: readonly Binary[] = [
  ...[add, subtract, multiply, divide, minimum, maximum, less, lessEqual, equal],
];

/** Keeps draws at least 0.5 from 0, where the op or a derivative has no bound. */
const awayFromZero = (x: number) => x + (x < 0 ? -0.5 : 0.5);
const positive = (x: number) => Math.abs(x) + 0.5;
/** Keeps draws at least 0.1 from every integer. */
const betweenIntegers = (x: number) => Math.floor(x) + 0.1 + 0.8 * (x - Math.floor(x));
/** Keeps two operands at least 0.1 apart: one in (-1, 0), the other outside [-1.1, 0.1]. */
const apart = (x: number, input: number) => (input === 0 ? (x < 0 ? x - 1.1 : x + 0.1) : -0.5 - 0.5 * Math.tanh(x));
const integers = { 0: [0, 1, 2, 3, 1e6, 2 ** 24] };

/** The ops of this file and their cases. */
export const arithmeticOps: () => readonly (readonly [{ readonly op: OpDefinition<null> }, OpCases<null>])[] = () => [
  [negate, elementwiseCases(1)],
  [abs, elementwiseCases(1, { domain: awayFromZero })],
  [sign, elementwiseCases(1, { domain: awayFromZero })],
  [sqrt, elementwiseCases(1, { domain: positive })],
  [exp, elementwiseCases(1)],
  [expm1, elementwiseCases(1)],
  [log, elementwiseCases(1, { domain: positive })],
  [log1p, elementwiseCases(1, { domain: positive })],
  [sin, elementwiseCases(1)],
  [cos, elementwiseCases(1)],
  [floor, elementwiseCases(1, { domain: betweenIntegers })],
  [finite, elementwiseCases(1)],
  [toFloat, elementwiseCases(1, { integers })],
  [increment, elementwiseCases(1, { integers })],
  [add, elementwiseCases(2)],
  [subtract, elementwiseCases(2)],
  [multiply, elementwiseCases(2)],
  [divide, elementwiseCases(2, { domain: (x, input) => (input === 0 ? x : awayFromZero(x)) })],
  [minimum, elementwiseCases(2, { domain: apart })],
  [maximum, elementwiseCases(2, { domain: apart })],
  [less, elementwiseCases(2, { domain: apart })],
  [lessEqual, elementwiseCases(2, { domain: apart })],
  [equal, elementwiseCases(2, { domain: apart })],
  [select, elementwiseCases(3, { domain: (x, input) => (input === 0 ? awayFromZero(x) : x) })],
];
