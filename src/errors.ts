/**
 * Every error divflow throws on purpose: one class per kind of fault, each with a stable `code` and three facts
 * (what was given, what was expected, what to do). All folders may import this file; it imports nothing.
 */

/** What an error says, in this order. `given` may be any value. Messages show each escaped and, where it is long, shortened. */
export interface ErrorFacts {
  subject: string;
  given: unknown;
  expected: string;
  remedy: string;
}

export type ErrorCode =
  | "config"
  | "unsupported"
  | "limit"
  | "out-of-memory"
  | "device-lost"
  | "numeric"
  | "stiffness"
  | "checkpoint"
  | "data"
  | "disposed";

/** The most characters of a fact, and of what was given, that a message repeats: it has 1,100 at most. */
const [LONGEST, LONGEST_GIVEN] = [300, 120];

/** Controls (of terminals too), marks that reverse or hide text, halves of characters, ends of lines and paragraphs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * A text that may hold anything, such as a file's name, as messages show it: what does not print as `\u001b`, and of
 * more than `most` characters the first and the last ones.
 */
export function printable(text: string, most = LONGEST): string {
  const cut = (long: string) => {
    const last = Math.floor(most / 4);
    return long.length > most ? `${long.slice(0, most - 3 - last)}...${long.slice(-last)}` : long;
  };
  const unit = (one: string) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return cut(cut(text).replace(UNPRINTABLE, (found) => found.split("").map(unit).join("")));
}

function show(value: unknown): string {
  try {
    if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength} bytes`;
    return (typeof value === "string" || Object(value) === value ? JSON.stringify(value) : undefined) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value); // such as lists in lists without end
  }
}

/** Base of all. The worker sends `code` and `facts`; the page rebuilds the class from them with {@link rebuildError}. */
export abstract class DivflowError extends Error {
  abstract readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(facts: ErrorFacts, options?: ErrorOptions) {
    const { subject, given, expected, remedy } = facts;
    const got = printable(show(given), LONGEST_GIVEN);
    super(`${printable(subject)}: got ${got}, expected ${printable(expected)}. ${printable(remedy)}`, options);
    this.facts = facts;
  }
}

// Names are spelled out because minifiers rename classes.

/** An option outside its range, an unknown name, options that contradict each other. */
export class ConfigError extends DivflowError {
  override readonly name = "ConfigError";
  readonly code = "config";
}

/** Something divflow or this platform cannot do, such as a missing adapter or a 4th derivative. */
export class UnsupportedError extends DivflowError {
  override readonly name = "UnsupportedError";
  readonly code = "unsupported";
}

/** A device limit that a program would exceed. */
export class LimitError extends DivflowError {
  override readonly name = "LimitError";
  readonly code = "limit";
}

/** The device or the WebAssembly memory has no room left. */
export class OutOfMemoryError extends DivflowError {
  override readonly name = "OutOfMemoryError";
  readonly code = "out-of-memory";
}

/** The GPU device went away (driver reset, watchdog, sleep). */
export class DeviceLostError extends DivflowError {
  override readonly name = "DeviceLostError";
  readonly code = "device-lost";
}

/** A loss, gradient or sample that is not finite. */
export class NumericError extends DivflowError {
  override readonly name = "NumericError";
  readonly code = "numeric";
}

/** An adaptive solver that reached its smallest step or its largest number of steps. */
export class StiffnessError extends DivflowError {
  override readonly name = "StiffnessError";
  readonly code = "stiffness";
}

/** A model or training file that is damaged or does not fit. */
export class CheckpointError extends DivflowError {
  override readonly name = "CheckpointError";
  readonly code = "checkpoint";
}

/** Data with the wrong shape, no rows, or values that are not finite. */
export class DataError extends DivflowError {
  override readonly name = "DataError";
  readonly code = "data";
}

/** Use of a runtime, trainer or model after `dispose()`. */
export class DisposedError extends DivflowError {
  override readonly name = "DisposedError";
  readonly code = "disposed";
}

const classes = {
  config: ConfigError,
  unsupported: UnsupportedError,
  limit: LimitError,
  "out-of-memory": OutOfMemoryError,
  "device-lost": DeviceLostError,
  numeric: NumericError,
  stiffness: StiffnessError,
  checkpoint: CheckpointError,
  data: DataError,
  disposed: DisposedError,
} satisfies Record<ErrorCode, new (facts: ErrorFacts) => DivflowError>;

/** The error with this code and these facts: what a page makes of what its worker sent. */
export function rebuildError(code: ErrorCode, facts: ErrorFacts): DivflowError {
  return new classes[code](facts);
}
