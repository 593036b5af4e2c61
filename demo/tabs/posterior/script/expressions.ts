/** Expressions of a simulator's text: arithmetic, comparisons, lists, Math's functions, random numbers. */
import type { Reader, Token } from "./tokens.ts";
import type { Frame, Run, Scope, Value } from "./values.ts";

const functions = [
  ...(["abs", "acos", "asin", "atan", "atan2", "cbrt", "ceil", "cos", "cosh", "exp", "floor", "hypot", "log"] as const),
  ...(["log10", "log2", "max", "min", "pow", "round", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "trunc"] as const),
];
const constants = ["PI", "E", "SQRT2", "LN2"] as const;
const draws = ["normal", "uniform"] as const;

/** From what binds least to what binds most; all of a level from left to right. */
const levels: readonly Readonly<Record<string, (a: number, b: number) => Value>>[] = [
  { "===": (a, b) => a === b, "!==": (a, b) => a !== b, "==": (a, b) => a === b, "!=": (a, b) => a !== b },
  { "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b },
  { "+": (a, b) => a + b, "-": (a, b) => a - b },
  { "*": (a, b) => a * b, "/": (a, b) => a / b, "%": (a, b) => a % b },
];

export function expression(reader: Reader, scope: Scope): Run {
  const condition = either(reader, scope);
  if (!reader.takes("?")) return condition;
  const first = expression(reader, scope);
  reader.expect(":", "between the two cases of ?");
  const second = expression(reader, scope);
  return (frame) => (condition(frame) ? first(frame) : second(frame));
}

function either(reader: Reader, scope: Scope): Run {
  let left = both(reader, scope);
  while (reader.takes("||")) {
    const [first, second] = [left, both(reader, scope)];
    left = (frame) => first(frame) || second(frame);
  }
  return left;
}

function both(reader: Reader, scope: Scope): Run {
  let left = binary(reader, scope, 0);
  while (reader.takes("&&")) {
    const [first, second] = [left, binary(reader, scope, 0)];
    left = (frame) => first(frame) && second(frame);
  }
  return left;
}

function binary(reader: Reader, scope: Scope, level: number): Run {
  const operations = levels[level];
  if (!operations) return power(reader, scope);
  let left = binary(reader, scope, level + 1);
  while (reader.token.kind === "sign" && Object.hasOwn(operations, reader.token.text)) {
    const token = reader.take();
    left = combined(reader, token, operations[token.text] as (a: number, b: number) => Value, [
      left,
      binary(reader, scope, level + 1),
    ]);
  }
  return left;
}

/** Both sides as numbers, or a fault at the sign. */
export function combined(
  reader: Reader,
  token: Token,
  operation: (a: number, b: number) => Value,
  [first, second]: readonly [Run, Run],
): Run {
  return (frame) => {
    const [a, b] = [first(frame), second(frame)];
    if (typeof a !== "number" || typeof b !== "number") {
      const wrong = typeof a === "number" ? b : a;
      return reader.fail(token, `"${token.text}" wants numbers on both sides, and one is ${nameOf(wrong)}.`);
    }
    return operation(a, b);
  };
}

/** From right to left. */
function power(reader: Reader, scope: Scope): Run {
  const { token } = reader;
  const base = unary(reader, scope);
  if (!reader.is("**")) return base;
  if (token.kind === "sign" && /[-+!]/.test(token.text)) {
    reader.fail(reader.token, "write (-a) ** b or -(a ** b): which is meant cannot be told.");
  }
  return combined(reader, reader.take(), (a, b) => a ** b, [base, power(reader, scope)]);
}

function unary(reader: Reader, scope: Scope): Run {
  const { token } = reader;
  if (reader.takes("!")) {
    const value = unary(reader, scope);
    return (frame) => !value(frame);
  }
  if (reader.takes("+")) return numberOf(reader, token, unary(reader, scope));
  if (reader.takes("-")) {
    const value = numberOf(reader, token, unary(reader, scope));
    return (frame) => -(value(frame) as number);
  }
  return indexed(reader, scope);
}

function numberOf(reader: Reader, token: Token, run: Run): Run {
  return (frame) => {
    const value = run(frame);
    return typeof value === "number" ? value : reader.fail(token, `a number is wanted, and this is ${nameOf(value)}.`);
  };
}

function indexed(reader: Reader, scope: Scope): Run {
  let value = primary(reader, scope);
  while (reader.is("[")) {
    const token = reader.take();
    const [list, place] = [value, numberOf(reader, token, expression(reader, scope))];
    reader.expect("]", "after a place in a list");
    value = (frame) => {
      const [all, at] = [list(frame), place(frame) as number];
      if (!Array.isArray(all)) return reader.fail(token, `only a list has places, and this is ${nameOf(all)}.`);
      const found = all[at] as Value | undefined;
      if (found !== undefined) return found;
      return reader.fail(token, `there is no place ${at} in a list of ${all.length}: places are counted from 0.`);
    };
  }
  if (reader.is(".")) reader.fail(reader.token, "only Math and random have parts: Math.sqrt, random.normal.");
  return value;
}

function primary(reader: Reader, scope: Scope): Run {
  const token = reader.take();
  if (token.kind === "number") {
    const value = Number(token.text);
    return () => value;
  }
  if (token.text === "(") {
    const inner = expression(reader, scope);
    reader.expect(")", "after an expression in brackets");
    return inner;
  }
  if (token.text === "[") {
    const parts = listed(reader, scope, "]");
    return (frame) => parts.map((part) => part(frame));
  }
  if (token.kind === "name") return named(reader, scope, token);
  if (token.kind === "end") return reader.fail(token, "the text ends where a value is wanted.");
  return reader.fail(token, `"${token.text}" stands where a value is wanted.`);
}

/** Up to the closing sign, which is taken. */
function listed(reader: Reader, scope: Scope, close: string): Run[] {
  const parts: Run[] = [];
  while (!reader.takes(close)) {
    parts.push(expression(reader, scope));
    if (!reader.is(close)) reader.expect(",", `or "${close}" after a value`);
  }
  return parts;
}

function named(reader: Reader, scope: Scope, token: Token): Run {
  const { text } = token;
  if (text === "true" || text === "false") return () => text === "true";
  if (text === "Math") return ofMath(reader, scope);
  if (text === "random") return ofRandom(reader);
  const found = scope.find(text);
  if (!found)
    reader.fail(token, `nothing is called "${text}" here. Known are ${listOf([...scope.names, "random", "Math"])}.`);
  const { place } = found;
  if (reader.is("(")) reader.fail(token, `"${text}" is no function: those of Math and random can be called.`);
  return ({ slots }) => {
    const value = slots[place];
    return value === undefined ? reader.fail(token, `"${text}" is used before it has a value.`) : value;
  };
}

function ofMath(reader: Reader, scope: Scope): Run {
  reader.expect(".", "after Math");
  const token = reader.name("a function of Math");
  const { text } = token;
  const constant = constants.find((one) => one === text);
  if (constant) return () => Math[constant];
  const found = functions.find((one) => one === text);
  if (!found)
    return reader.fail(token, `Math.${text} is not known here. Known are ${listOf([...functions, ...constants])}.`);
  reader.expect("(", `after Math.${text}`);
  const parts = listed(reader, scope, ")").map((part) => numberOf(reader, token, part));
  const call = Math[found] as (...values: number[]) => number;
  const [first, second] = parts;
  if (!first) return reader.fail(token, `Math.${text} wants a value in its brackets.`);
  // Without a list of its own for each call, which most of the time would go into.
  if (parts.length === 1) return (frame) => call(first(frame) as number);
  if (parts.length === 2 && second) return (frame) => call(first(frame) as number, second(frame) as number);
  return (frame) => call(...parts.map((part) => part(frame) as number));
}

function ofRandom(reader: Reader): Run {
  reader.expect(".", "after random");
  const token = reader.name("what random gives");
  const found = draws.find((one) => one === token.text);
  if (!found) return reader.fail(token, `random has normal() and uniform(), and no ${token.text}.`);
  reader.expect("(", `after random.${found}`);
  reader.expect(")", `after random.${found}(, which wants nothing`);
  return ({ random }: Frame) => random[found]();
}

export function nameOf(value: Value | undefined): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === "boolean" ? `${value}` : "a number";
}

const listOf = (names: readonly string[]) => [...new Set(names)].join(", ");
