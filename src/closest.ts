/** What someone may have meant who misspelt a name. All folders may import this file; it imports nothing. */

/** No name is as long; files may hold any text. */
const LONGEST = 64;

/** The nearest of `names` as a question; `otherwise` where none is near. */
export function closest(name: string, names: readonly string[], otherwise: string): string {
  if (name.length > LONGEST) return otherwise;
  const bare = (word: string) => word.replace(/^-*/, "").toLowerCase(); // dashes make no two options alike
  const begun = names.filter((candidate) => bare(name).length > 1 && candidate.startsWith(name));
  if (begun.length === 1) return `Did you mean ${begun[0]}?`;
  const distances = names.map((candidate) => distance(bare(name), bare(candidate)));
  const least = Math.min(...distances);
  return least <= Math.ceil(bare(name).length / 2) ? `Did you mean ${names[distances.indexOf(least)]}?` : otherwise;
}

/** Letters to add, drop or change between two words (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] as number;
}
