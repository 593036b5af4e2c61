/** The part of Python's literals that .npy headers use: dicts, tuples, lists, strings, integers, True, False, None. */

export type PythonLiteral = string | number | boolean | null | PythonLiteral[] | Map<string, PythonLiteral>;

/** Deeper nesting than any dtype description has; bounds the recursion on damaged files. */
const DEEPEST = 32;

/** The value that `text` writes, tuples as arrays; undefined when it is not such a literal. */
export function parsePythonLiteral(text: string): PythonLiteral | undefined {
  let at = 0;

  const skipSpace = () => {
    while (/\s/.test(text[at] ?? "")) at++;
  };

  /** Takes `token` when it comes next. */
  const take = (token: string): boolean => {
    skipSpace();
    if (!text.startsWith(token, at)) return false;
    at += token.length;
    return true;
  };

  /** Takes what matches the sticky `pattern` here. */
  const match = (pattern: RegExp): string | undefined => {
    skipSpace();
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  };

  const items = (close: string, depth: number): PythonLiteral[] | undefined => {
    const list: PythonLiteral[] = [];
    while (!take(close)) {
      const item = value(depth);
      if (item === undefined) return undefined;
      list.push(item);
      if (!take(",")) return take(close) ? list : undefined;
    }
    return list;
  };

  const dict = (depth: number): Map<string, PythonLiteral> | undefined => {
    const entries = new Map<string, PythonLiteral>();
    while (!take("}")) {
      const key = value(depth);
      if (typeof key !== "string" || !take(":")) return undefined;
      const item = value(depth);
      if (item === undefined) return undefined;
      entries.set(key, item);
      if (!take(",")) return take("}") ? entries : undefined;
    }
    return entries;
  };

  const value = (depth: number): PythonLiteral | undefined => {
    if (depth > DEEPEST) return undefined;
    if (take("{")) return dict(depth + 1);
    if (take("(")) return items(")", depth + 1);
    if (take("[")) return items("]", depth + 1);
    for (const [word, meaning] of [
      ["True", true],
      ["False", false],
      ["None", null],
    ] as const) {
      if (take(word)) return meaning;
    }
    const quoted = match(/'[^'\\\n]*'|"[^"\\\n]*"/y);
    if (quoted !== undefined) return quoted.slice(1, -1);
    const integer = match(/-?\d+L?/y); // Python 2 wrote long integers with an L
    return integer === undefined ? undefined : Number.parseInt(integer, 10);
  };

  const result = value(0);
  skipSpace();
  return at === text.length ? result : undefined;
}
