/** Checks of options that users and files give: each throws a ConfigError naming the option, or returns the value. */
import { closest } from "../closest.ts";
import { ConfigError } from "../errors.ts";

/** Something made from a name and plain options, as checkpoints and command lines hold it. */
export interface NamedOptions {
  readonly name: string;
  /** Plain JSON. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The name of parts, and the kind of networks, that are graphs of a user's own: their options hold the graph. */
export const GRAPH = "graph";

/** What makes something of options, by name: it checks them. */
export type Registry<Made> = Readonly<Record<string, (options: never) => Made>>;

/** A range of numbers; each bound is allowed itself unless `open` names it. */
export interface NumberRange {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly open?: "minimum" | "maximum" | "both";
}

/** Rows of a batch, at most. */
export const LARGEST_BATCH = 1 << 20;

/** The step's counter on the device, which random numbers follow from, is a u32. */
export const LAST_STEP = 2 ** 32 - 1;

function isWithin(value: number, { minimum = -Infinity, maximum = Infinity, open }: NumberRange): boolean {
  const above = open === "minimum" || open === "both" ? value > minimum : value >= minimum;
  return above && (open === "maximum" || open === "both" ? value < maximum : value <= maximum);
}

/** `given` when it is a finite number in the range. */
export function numberOption(subject: string, given: unknown, range: NumberRange = {}): number {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, open } = range;
  const value = given as number;
  if (typeof given !== "number" || !Number.isFinite(value) || !isWithin(value, range)) {
    const left = open === "minimum" || open === "both" || minimum === Number.NEGATIVE_INFINITY ? "(" : "[";
    const right = open === "maximum" || open === "both" || maximum === Number.POSITIVE_INFINITY ? ")" : "]";
    throw new ConfigError({
      subject,
      given,
      expected: `a number in ${left}${minimum}, ${maximum}${right}`,
      remedy: "Give a number in this range.",
    });
  }
  return value;
}

/** Below it devices may take an f32 for 0. */
const LEAST_F32 = 2 ** -126;

/**
 * `given` when it is a finite number in the range, and still is as the f32 that devices compute with: not 0 unless it is
 * 0 itself, not infinite, and at no bound that `open` leaves out.
 */
export function f32Option(subject: string, given: unknown, range: NumberRange = {}): number {
  const value = numberOption(subject, given, range);
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, open } = range;
  const rounded = Math.fround(value);
  const [openBelow, openAbove] = [open === "minimum" || open === "both", open === "maximum" || open === "both"];
  const held = value === 0 || (Math.abs(rounded) >= LEAST_F32 && Number.isFinite(rounded));
  // Closed bounds held before rounding.
  const inside = (!openBelow || rounded > Math.fround(minimum)) && (!openAbove || rounded < Math.fround(maximum));
  if (held && inside) return value;
  throw new ConfigError({
    subject,
    given,
    expected: held
      ? "a number that is not at the end of its range when rounded to f32"
      : `${isWithin(0, range) ? "0, or " : ""}from 1.2e-38 to 3.4e38`,
    remedy: "Give a number that f32 can tell from the ends of its range: devices compute in f32.",
  });
}

/** `given` when it is an integer of at least `minimum` and at most `maximum`. */
export function integerOption(
  subject: string,
  given: unknown,
  minimum = 1,
  maximum: number = Number.MAX_SAFE_INTEGER,
): number {
  if (!Number.isSafeInteger(given) || (given as number) < minimum || (given as number) > maximum) {
    const bound = maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
    throw new ConfigError({
      subject,
      given,
      expected: `an integer ${bound}`,
      remedy: "Give a whole number in this range.",
    });
  }
  return given as number;
}

/** `given` when it is true or false. */
export function booleanOption(subject: string, given: unknown): boolean {
  if (typeof given === "boolean") return given;
  throw new ConfigError({ subject, given, expected: "true or false", remedy: "Give a boolean." });
}

/** `given` when it is text with something in it, or undefined. */
export function textOption<Given>(subject: string, given: Given, such: string): Given {
  if (given === undefined || (typeof given === "string" && given !== "")) return given;
  throw new ConfigError({
    subject,
    given: given ?? String(given),
    expected: such,
    remedy: "Give text, or leave it out.",
  });
}

/** `given` when it is what `like` makes: an object with this method. */
export function partOption<Part>(subject: string, given: Part, method: keyof Part & string, like: string): Part {
  if (typeof given === "object" && !Array.isArray(given) && typeof given?.[method] === "function") return given;
  throw new ConfigError({
    subject,
    given: given ?? String(given),
    expected: `what ${like} gives`,
    remedy: `Give ${like} or another of its kind.`,
  });
}

/** `given` when it is an AbortSignal, of whichever realm, or undefined. */
export function signalOption(given: unknown): AbortSignal | undefined {
  const { aborted, addEventListener, throwIfAborted } = Object(given) as Partial<AbortSignal>;
  const isSignal = typeof aborted === "boolean" && typeof addEventListener === "function";
  if (given === undefined || (isSignal && typeof throwIfAborted === "function")) return given as undefined;
  throw new ConfigError({
    subject: "signal",
    given,
    expected: "an AbortSignal",
    remedy: "Give controller.signal of an AbortController.",
  });
}

/** `given` when it is one of `choices`. */
export function choiceOption<Choice>(subject: string, given: unknown, choices: readonly Choice[]): Choice {
  const choice = choices.find((candidate) => candidate === given);
  if (choice !== undefined) return choice;
  throw new ConfigError({
    subject,
    given,
    expected: `one of ${choices.join(", ")}`,
    remedy: closest(
      typeof given === "string" ? given : "",
      choices.map(String),
      "Choose one of these; names are case-sensitive.",
    ),
  });
}

/** `given` when it is an object whose keys are all in `known`: a misspelt option must not be a silent default. */
export function optionsObject<Options>(
  subject: string,
  given: Options,
  known: readonly (keyof Options & string)[],
): Options {
  if (!isRecord(given)) {
    throw new ConfigError({
      subject,
      given: given ?? String(given),
      expected: "an object of options",
      remedy: "Give {} for the defaults.",
    });
  }
  for (const key of Object.keys(given)) {
    if ((known as readonly string[]).includes(key)) continue;
    throw new ConfigError({
      subject,
      given: key,
      expected: known.length > 0 ? `options among ${known.join(", ")}` : "no options",
      remedy: closest(key, known, "Correct the name of the option or leave it out."),
    });
  }
  return given;
}

/** A copy of options, which their owner may change while a call is on its way. What is no object is left as it is. */
export function copiedOptions<Options>(given: Options): Options {
  return isRecord(given) ? { ...given } : given;
}

/** Whether a value is an object with fields: not null, and no array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value of JSON has more than so many lists and objects around each other. */
export function isDeeper(value: unknown, depth: number): boolean {
  return (
    Object(value) === value && (depth === 0 || Object.values(value as object).some((one) => isDeeper(one, depth - 1)))
  );
}

/** What the entry of this name makes of these options; `kind` is what messages call it, such as "path". */
export function madeFrom<Made>(kind: string, entries: Registry<Made>, named: NamedOptions): Made {
  const { name, options } = Object(named) as Partial<NamedOptions>;
  const make = entries[choiceOption(kind, name, Object.keys(entries))] as (options: never) => Made;
  return make((options ?? null) as never); // what is missing is no default here
}
