/** What JSON.parse does not tell: that an object names a member twice (it keeps the last). */

/** A key that stands twice in one object of `json`, which must be text that JSON.parse accepts; else undefined. */
export function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = []; // keys seen in each object or array around the current place; an array has none
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === "{" || character === "[") open.push(new Set());
    else if (character === "}" || character === "]") open.pop();
    else if (character === '"') {
      const start = at;
      at = closingQuote(json, at);
      if (!isFollowedByColon(json, at + 1)) continue;
      const key = JSON.parse(json.slice(start, at + 1)) as string; // so that escapes do not hide it
      const keys = open[open.length - 1];
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function closingQuote(json: string, opening: number): number {
  let at = opening + 1;
  while (json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at;
}

function isFollowedByColon(json: string, from: number): boolean {
  let at = from;
  while (json[at] === " " || json[at] === "\t" || json[at] === "\n" || json[at] === "\r") at++;
  return json[at] === ":";
}
