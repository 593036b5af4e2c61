/** JSON of what may hold more numbers than a string has room for, such as those of a file's rows. */

/** Elements of an array that are put into text at once. */
const AT_ONCE = 10_000;

/**
 * What `JSON.stringify(value, null, indent)` and a line break give, in pieces.
 *
 * @param value - plain data, without functions, `undefined` in arrays or anything with a `toJSON` of its own.
 */
export function* jsonPieces(value: unknown, indent = 0): Generator<string> {
  yield* piecesOf(value, indent, "");
  yield "\n";
}

function* piecesOf(value: unknown, indent: number, margin: string): Generator<string> {
  if (typeof value !== "object" || value === null || isSmall(value)) {
    yield JSON.stringify(value, null, indent).replaceAll("\n", `\n${margin}`);
    return;
  }
  const isArray = Array.isArray(value);
  const [open, close] = isArray ? "[]" : "{}";
  const inner = margin + " ".repeat(indent);
  const lineBreak = indent > 0 ? `\n${inner}` : "";
  yield open as string;
  let separator = lineBreak;
  if (isArray) {
    for (let from = 0; from < value.length; from += AT_ONCE) {
      const texts = value.slice(from, from + AT_ONCE).map((one) => [...piecesOf(one, indent, inner)].join(""));
      yield separator + texts.join(`,${lineBreak}`);
      separator = `,${lineBreak}`;
    }
  } else {
    for (const [name, one] of Object.entries(value)) {
      if (one === undefined) continue;
      yield `${separator}${JSON.stringify(name)}:${indent > 0 ? " " : ""}`;
      yield* piecesOf(one, indent, inner);
      separator = `,${lineBreak}`;
    }
  }
  yield (indent > 0 ? `\n${margin}` : "") + close;
}

/** Whether it is put into text at once: it holds no long array, however deep. */
function isSmall(value: object): boolean {
  if (Array.isArray(value) && value.length > AT_ONCE) return false;
  return Object.values(value).every((one) => typeof one !== "object" || one === null || isSmall(one));
}
