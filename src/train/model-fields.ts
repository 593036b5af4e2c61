/** Fields of the JSON in model files, each checked: what is wrong is a CheckpointError that names it. */
import { closest } from "../closest.ts";
import { isRecord, type NamedOptions } from "../graph/options.ts";
import { damage } from "./safetensors.ts";

export const DAMAGED = "The file is damaged, or was changed by another program; save it again.";

/** The fields of an object that has all of `required`, and none but these and `optional`. */
export function fieldsOf(
  subject: string,
  given: unknown,
  required: readonly string[],
  optional: readonly string[] = [],
): Readonly<Record<string, unknown>> {
  if (!isRecord(given)) throw damage(subject, given ?? "none", `an object of ${required.join(", ")}`, DAMAGED);
  const known = [...required, ...optional];
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    const remedy = closest(unknown, known, "The file is damaged, or another version of divflow wrote it.");
    throw damage(subject, unknown, `fields among ${known.join(", ")}`, remedy);
  }
  const missing = required.find((key) => given[key] === undefined);
  if (missing !== undefined) throw damage(`${subject}, ${missing}`, "nothing", "a value", DAMAGED);
  return given;
}

export function namedOf(subject: string, given: unknown): NamedOptions {
  const { name, options } = fieldsOf(subject, given, ["name", "options"]);
  if (typeof name === "string" && isRecord(options)) return { name, options };
  throw damage(subject, given, "a name and its options", DAMAGED);
}

export function textOf(subject: string, given: unknown): string {
  if (typeof given === "string") return given;
  throw damage(subject, given, "text", DAMAGED);
}

export function namesOf(subject: string, given: unknown, count?: number): string[] {
  const isList = Array.isArray(given) && given.every((name) => typeof name === "string");
  if (isList && (count === undefined || given.length === count)) return given;
  throw damage(subject, given, `a list of ${count === undefined ? "" : `${count} `}names`, DAMAGED);
}
