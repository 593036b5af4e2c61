/** A simulator from its text: `({ angle, speed }, random) => { ... return [distance, height]; }`. */
import { combined, expression, nameOf } from "./expressions.ts";
import { Fault, Reader, type Token } from "./tokens.ts";
import { type Frame, type Random, type Run, Scope, type Value } from "./values.ts";

/** Turns of all loops of one run. */
export const MOST_TURNS = 100_000;
/** Numbers that go in and that come out: what can be drawn in a plane. */
export const NUMBERS = 2;

export interface WrittenSimulator {
  /** Names of the parameters: "theta[0]" where the text gives none. */
  readonly parameters: readonly string[];
  /** @throws {@link Fault} where it cannot go on, or gives other than {@link NUMBERS} numbers. */
  run(theta: ArrayLike<number>, random: Random): number[];
}

/** A statement: what it returns, or undefined where it goes on. */
type Step = (frame: Frame) => Value | undefined;

/**
 * Reads a text: an arrow function of two parameters, by name or as a list, and `random`.
 *
 * @throws {@link Fault} that says where and what, in a sentence.
 */
export function simulatorOf(source: string): WrittenSimulator {
  const reader = new Reader(source);
  const scope = new Scope();
  const { names, places } = parameters(reader, scope);
  const arrow = reader.expect("=>", "after what the function is given");
  const body = reader.is("{") ? block(reader, scope) : expression(reader, scope);
  reader.takes(";");
  if (reader.token.kind !== "end")
    reader.fail(reader.token, `the function has ended, but "${reader.token.text}" follows.`);
  return {
    parameters: names,
    run(theta, random) {
      const values = Array.from(theta);
      const slots = new Array<Value>(scope.places);
      for (const [i, place] of places.entries())
        slots[place] = names.length === places.length ? (values[i] as number) : values;
      return numbersOf(body({ slots, random, turns: 0 }), source, arrow);
    },
  };
}

function numbersOf(value: Value | undefined, source: string, { at }: Token): number[] {
  if (!Array.isArray(value) || value.length !== NUMBERS || value.some((one) => typeof one !== "number")) {
    const given = Array.isArray(value) && value.length === NUMBERS ? "a list of other things" : nameOf(value);
    throw new Fault(source, at, `the function should return a list of two numbers, and returned ${given}.`);
  }
  return value as number[];
}

function parameters(reader: Reader, scope: Scope): { names: readonly string[]; places: readonly number[] } {
  reader.expect("(", "at the beginning: a simulator reads (theta, random) => [first, second]");
  const { token } = reader;
  const close = reader.takes("{") ? "}" : reader.takes("[") ? "]" : undefined;
  const own: string[] = [];
  do own.push(declared(reader, scope, reader.name("a parameter"), false).name);
  while (close && reader.takes(",") && !reader.is(close));
  if (close) reader.expect(close, "after the parameters' names");
  if (close && own.length !== NUMBERS)
    reader.fail(token, `this page draws two parameters, and here are ${own.length}.`);
  if (reader.takes(",")) {
    const random = reader.name("the random numbers");
    if (random.text !== "random") reader.fail(random, 'the second thing that it is given is to be called "random".');
  }
  reader.expect(")", "after what the function is given");
  const places = own.map((name) => scope.find(name)?.place as number);
  return { names: close ? own : own.flatMap((name) => [`${name}[0]`, `${name}[1]`]), places };
}

function declared(reader: Reader, scope: Scope, token: Token, isConstant: boolean): { name: string; place: number } {
  const name = token.text;
  if (words.has(name)) reader.fail(token, `"${name}" cannot be a name.`);
  const place = scope.declare(name, isConstant);
  return place === undefined ? reader.fail(token, `there is a "${name}" already.`) : { name, place };
}

const words = new Set([
  ...["const", "let", "var", "if", "else", "for", "while", "return", "function", "break", "continue", "do", "switch"],
  ...[
    "Math",
    "random",
    "true",
    "false",
    "new",
    "this",
    "import",
    "class",
    "throw",
    "try",
    "await",
    "async",
    "of",
    "in",
  ],
]);

/** In braces, with names of its own. */
function block(reader: Reader, outer: Scope): Step {
  reader.expect("{", "before statements");
  const scope = new Scope(outer);
  const steps: Step[] = [];
  while (!reader.takes("}")) {
    if (reader.token.kind === "end") reader.fail(reader.token, 'a "}" is missing at the end.');
    steps.push(statement(reader, scope));
  }
  return (frame) => {
    for (const step of steps) {
      const value = step(frame);
      if (value !== undefined) return value;
    }
    return undefined;
  };
}

function statement(reader: Reader, scope: Scope): Step {
  const { token } = reader;
  switch (token.kind === "name" || token.text === "{" || token.text === ";" ? token.text : "") {
    case "{":
      return block(reader, scope);
    case ";":
      reader.take();
      return () => undefined;
    case "return": {
      reader.take();
      const value = expression(reader, scope);
      reader.takes(";");
      return value;
    }
    case "if":
      return choice(reader, scope);
    case "while":
      return whileLoop(reader, scope);
    case "for":
      return forLoop(reader, scope);
    default: {
      const step = simple(reader, scope);
      if (!reader.is("}") && !reader.takes(";") && !startsLine(reader)) reader.expect(";", "after a statement");
      return step;
    }
  }
}

/** Whether the next word stands at the beginning of its line, where JavaScript puts in a semicolon. */
function startsLine({ source, token }: Reader): boolean {
  return /(^|\n)\s*$/.test(source.slice(0, token.at));
}

/** What a `for` may begin with too: declarations, assignments. */
function simple(reader: Reader, scope: Scope): Step {
  if (reader.is("const") || reader.is("let")) return declarations(reader, scope);
  const token = reader.token;
  if (words.has(token.text) && token.kind === "name") reader.fail(token, `"${token.text}" is not understood here.`);
  const target = reader.name("what is to be changed");
  const found = scope.find(target.text);
  if (!found) return reader.fail(target, `nothing is called "${target.text}" here: declare it by let.`);
  if (found.isConstant)
    return reader.fail(target, `"${target.text}" is a const, which never changes: declare it by let.`);
  const { place } = found;
  const sign = reader.take();
  const now: Run = ({ slots }) => slots[place] ?? reader.fail(target, `"${target.text}" has no value yet.`);
  if (sign.text === "++" || sign.text === "--") {
    const by = sign.text === "++" ? 1 : -1;
    return assignment(
      place,
      combined(reader, sign, (a, b) => a + b, [now, () => by]),
    );
  }
  if (sign.text === "=") return assignment(place, expression(reader, scope));
  const operation = changes[sign.text];
  if (!operation) return reader.fail(sign, `"=" is missing after "${target.text}", where "${sign.text}" stands.`);
  return assignment(place, combined(reader, sign, operation, [now, expression(reader, scope)]));
}

const changes: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+=": (a, b) => a + b,
  "-=": (a, b) => a - b,
  "*=": (a, b) => a * b,
  "/=": (a, b) => a / b,
  "%=": (a, b) => a % b,
};

const assignment =
  (place: number, value: Run): Step =>
  (frame) => {
    frame.slots[place] = value(frame);
    return undefined;
  };

function declarations(reader: Reader, scope: Scope): Step {
  const isConstant = reader.take().text === "const";
  const steps: Step[] = [];
  do {
    const token = reader.name("a variable");
    reader.expect("=", `after "${token.text}", which needs a value`);
    const value = expression(reader, scope); // before the name is there: it cannot be of itself
    steps.push(assignment(declared(reader, scope, token, isConstant).place, value));
  } while (reader.takes(","));
  return (frame) => {
    for (const step of steps) step(frame);
    return undefined;
  };
}

function inBrackets(reader: Reader, scope: Scope): Run {
  const { text } = reader.take();
  reader.expect("(", `after ${text}`);
  const condition = expression(reader, scope);
  reader.expect(")", `after the condition of ${text}`);
  return condition;
}

function choice(reader: Reader, scope: Scope): Step {
  const condition = inBrackets(reader, scope);
  const first = statement(reader, new Scope(scope));
  const second = reader.takes("else") ? statement(reader, new Scope(scope)) : () => undefined;
  return (frame) => (condition(frame) ? first(frame) : second(frame));
}

function whileLoop(reader: Reader, scope: Scope): Step {
  const { token } = reader;
  const condition = inBrackets(reader, scope);
  return repeated(reader, token, condition, statement(reader, new Scope(scope)));
}

function forLoop(reader: Reader, outer: Scope): Step {
  const token = reader.take();
  const scope = new Scope(outer);
  reader.expect("(", "after for");
  const first = reader.is(";") ? () => undefined : simple(reader, scope);
  reader.expect(";", "after the beginning of for");
  const condition: Run = reader.is(";") ? () => true : expression(reader, scope);
  reader.expect(";", "after the condition of for");
  const last = reader.is(")") ? () => undefined : simple(reader, scope);
  reader.expect(")", "after the three parts of for");
  const loop = repeated(reader, token, condition, statement(reader, new Scope(scope)), last);
  return (frame) => {
    first(frame);
    return loop(frame);
  };
}

function repeated(reader: Reader, token: Token, condition: Run, body: Step, last: Step = () => undefined): Step {
  return (frame) => {
    while (condition(frame)) {
      if (++frame.turns > MOST_TURNS) {
        reader.fail(token, `its loops turned more than ${MOST_TURNS.toLocaleString("en")} times: does this one end?`);
      }
      const value = body(frame);
      if (value !== undefined) return value;
      last(frame);
    }
    return undefined;
  };
}
