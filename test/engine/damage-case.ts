/** Case files damaged in one place, as hands and programs do it: a seed gives the same file again. */
import { Random } from "../reliability/random.mjs";

/** An object or a list. */
type Parent = Record<string | number, unknown>;

/** Fields whose values say nothing that is compared: to damage them leaves the case as it is. */
const idle = ["name", "information", "weightsFile"];

interface Place {
  readonly parent: Parent;
  readonly key: string | number;
  readonly path: string;
}

/** All places in a value, but those that say nothing. */
function placesIn(parent: Parent, path = ""): Place[] {
  return Object.keys(parent)
    .filter((key) => path !== "" || !idle.includes(key))
    .flatMap((key) => {
      const at = Array.isArray(parent) ? Number(key) : key;
      const here: Place = { parent, key: at, path: `${path}/${key}` };
      const value = parent[at];
      return typeof value === "object" && value !== null ? [here, ...placesIn(value as Parent, here.path)] : [here];
    });
}

/** One of these texts with one thing in it changed, and what. */
export function damagedCase(texts: readonly string[], seed: number): { text: string; what: string } {
  const random = new Random(seed);
  const original = random.of(texts);
  if (random.integer(12) === 0) {
    const end = 1 + random.integer(original.length - 1);
    return { text: original.slice(0, end), what: `cut at ${end}` };
  }
  const fields = JSON.parse(original) as Parent;
  const all = placesIn(fields);
  // Numbers are most of a file: half of the time something else.
  const others = all.filter(({ parent, key }) => typeof parent[key] !== "number");
  const { parent, key, path } = random.of(random.integer(2) === 0 ? others : all);
  const value = parent[key];
  const kind = random.integer(4);
  const remove = () => (Array.isArray(parent) ? parent.splice(Number(key), 1) : delete parent[key]);
  if (kind === 0) remove();
  else if (kind === 1) parent[key] = random.of(foreign.filter((one) => one !== value));
  else if (kind === 2 && !Array.isArray(parent)) {
    parent[`${key}_`] = value;
    remove();
  } else parent[key] = otherwise(value);
  return { text: JSON.stringify(fields), what: `${path} (${kind})` };
}

const foreign: readonly unknown[] = [null, "", "x", {}, [], true, -1, 0.5, 1e300, "__proto__"];

/** Another value of the same type. */
function otherwise(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? value + 1 : value * 1.5 + 0.25;
  if (typeof value === "string") return value.length > 40 ? value.slice(4) : `${value}x`;
  if (Array.isArray(value)) return [...value, 1];
  return typeof value === "object" && value !== null ? { ...value, extra: 1 } : !value;
}
