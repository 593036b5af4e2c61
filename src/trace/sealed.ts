/** What is made of graphs is plain data with a checksum: how it is sealed, and how it is read again. */
import { CheckpointError } from "../errors.ts";
import { hashOfText } from "../graph/murmur.ts";
import { isRecord } from "../graph/options.ts";

/** Plain data with a checksum: a number that a disk or a copy changes may well be another number. */
export type Sealed<Config> = Config & { readonly checksum: string };

type Fields = Readonly<Record<string, unknown>>;

/** The same with its checksum. */
export function sealed<Config extends object>(config: Config): Sealed<Config> {
  return { ...config, checksum: hashOfText(canonical(config)) };
}

/**
 * The fields of what {@link sealed} gave, each still to be checked, and what messages call it.
 *
 * @param what - such as "network".
 * @param names - of its fields beside `name` and `checksum`.
 * @throws {@link CheckpointError} when a field is missing or unknown, or anything has changed.
 */
export function unsealed(what: string, given: unknown, names: readonly string[]): { subject: string; fields: Fields } {
  const { checksum, ...fields } = fieldsOf(what, given, ["name", ...names, "checksum"]);
  const { name } = fields;
  if (typeof name !== "string" || name === "") throw damage(`${what}, name`, name, "text");
  const subject = `${what} "${name}"`;
  const own = hashOfText(canonical(fields));
  if (checksum !== own) throw damage(`${subject}, checksum`, checksum, `${own}, that of the rest`);
  return { subject, fields };
}

/** The text of plain JSON, whatever the order of its keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each) =>
    isRecord(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each,
  );
}

/** The fields of an object that has these, and no others. */
export function fieldsOf(where: string, given: unknown, names: readonly string[]): Fields {
  const own = isRecord(given) ? Object.keys(given) : [];
  if (isRecord(given) && own.length === names.length && names.every((name) => own.includes(name))) return given;
  throw damage(where, isRecord(given) ? own : (given ?? "nothing"), `the fields ${names.join(", ")}`);
}

export function damage(subject: string, given: unknown, expected: string, cause?: unknown): CheckpointError {
  const remedy = "The graph is damaged, or another version of divflow wrote it.";
  return new CheckpointError({ subject, given: given ?? String(given), expected, remedy }, { cause });
}
