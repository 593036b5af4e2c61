/**
 * The words of a simulator's text. The page's policy forbids `eval`, and a text from a link or a friend should be able to do nothing but
 * compute: so it is read here, a small part of JavaScript, and run as closures.
 */

export interface Token {
  readonly kind: "number" | "name" | "sign" | "end";
  readonly text: string;
  /** Where it begins, in letters from 0. */
  readonly at: number;
}

/** What is wrong with a text, and where: lines and columns count from 1. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly line: number;
  readonly column: number;

  constructor(source: string, at: number, words: string) {
    const before = source.slice(0, at).split("\n");
    const [line, column] = [before.length, (before.at(-1) as string).length + 1];
    super(`Line ${line}, column ${column}: ${words}`);
    this.line = line;
    this.column = column;
  }
}

const space = /(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
const number = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const name = /[A-Za-z_$][\w$]*/y;
/** Longer ones first. */
const sign = /===|!==|\*\*|=>|==|!=|<=|>=|&&|\|\||\+\+|--|[+\-*/%]=|[-+*/%<>!?:;,.(){}[\]=]/y;

/** @throws {@link Fault} at a letter that begins no word. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const next = (form: RegExp): string => {
    form.lastIndex = at;
    const found = form.exec(source)?.[0] ?? "";
    at += found.length;
    return found;
  };
  for (;;) {
    next(space);
    const begin = at;
    if (at === source.length) return [...tokens, { kind: "end", text: "the end", at }];
    const digits = next(number);
    const text = digits || next(name) || next(sign);
    const kind = digits ? "number" : /^[\w$]/.test(text) ? "name" : "sign";
    if (text) tokens.push({ kind, text, at: begin });
    else throw new Fault(source, begin, wordsFor(source[begin] as string));
  }
}

const wordsFor = (letter: string) =>
  /["'`]/.test(letter)
    ? "text in quotes is not understood here: a simulator computes numbers."
    : `"${letter}" is not understood here.`;

/** Reads tokens one after the other. */
export class Reader {
  readonly source: string;
  readonly #tokens: readonly Token[];
  #place = 0;

  constructor(source: string) {
    this.source = source;
    this.#tokens = tokensOf(source);
  }

  get token(): Token {
    return this.#tokens[this.#place] as Token;
  }

  /** Whether the next one is this sign or word. */
  is(text: string): boolean {
    return this.token.text === text && this.token.kind !== "end";
  }

  take(): Token {
    const { token } = this;
    if (token.kind !== "end") this.#place++;
    return token;
  }

  /** Takes it where it is next. */
  takes(text: string): boolean {
    const isNext = this.is(text);
    if (isNext) this.#place++;
    return isNext;
  }

  /** @throws {@link Fault} where it is not next. */
  expect(text: string, after: string): Token {
    if (!this.is(text)) this.fail(this.token, `"${text}" is missing ${after}, where ${this.#found()} stands.`);
    return this.take();
  }

  name(what: string): Token {
    if (this.token.kind !== "name")
      this.fail(this.token, `the name of ${what} is missing, where ${this.#found()} stands.`);
    return this.take();
  }

  fail({ at }: { readonly at: number }, words: string): never {
    throw new Fault(this.source, at, words);
  }

  #found(): string {
    return this.token.kind === "end" ? this.token.text : `"${this.token.text}"`;
  }
}
