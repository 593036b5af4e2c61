/** Plain parts of a user's own, damaged as files are, and under checksums that fit all the same. */
import { CheckpointError } from "../../src/errors.ts";
import type { Random } from "../reliability/random.mjs";

/** What stands where something else should. */
export const strange: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  3,
  2 ** 53,
  "",
  "x",
  "constructor",
  "__proto__",
  [],
  {},
  [1, 2],
  { perRow: 1, plus: 0 },
];

/** As it comes of a file: one field changed, dropped or added at a random place. */
export function damaged(whole: unknown, random: Random): unknown {
  const root: unknown = JSON.parse(JSON.stringify(whole));
  const places: [Record<string, unknown>, string][] = [];
  const visit = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, each] of Object.entries(value)) {
      places.push([value as Record<string, unknown>, key]);
      visit(each);
    }
  };
  visit(root);
  const [owner, key] = random.of(places);
  const value = owner[key];
  const how = random.integer(6);
  if (how === 0) delete owner[key];
  else if (how === 1) owner[`${key}x`] = value;
  else if (how === 2 && typeof value === "number") owner[key] = value + random.of([-1, 1, 2, 100]);
  else if (how === 3) {
    const [other, name] = random.of(places); // what stands elsewhere
    owner[key] = structuredClone(other[name]);
  } else owner[key] = random.of(strange);
  return JSON.parse(JSON.stringify(root));
}

/** What is made under a checksum that fits, as the error that refuses it says. */
export function signed<Made>(config: unknown, made: (given: unknown) => Made): Made {
  try {
    return made(config);
  } catch (error) {
    const sum =
      error instanceof CheckpointError ? /expected ([0-9a-f]{16}), that of the rest/.exec(error.message) : undefined;
    if (!sum) throw error;
    return made({ ...(config as object), checksum: sum[1] });
  }
}
