/**
 * Every error divflow throws on purpose: one class per kind of fault, each with a stable `code` and three facts
 * (what was given, what was expected, what to do). All folders may import this file; it imports nothing.
 */

/** What an error says, in this order. `given` may be any value; it is shown shortened. */
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

/** The longest text of a given value that a message repeats, in characters. */
const SHOWN_LENGTH = 120;

function show(value: unknown): string {
  let text: string;
  if (typeof value === "string") text = JSON.stringify(value);
  else if (ArrayBuffer.isView(value)) text = `${value.constructor.name} of ${value.byteLength} bytes`;
  else if (typeof value === "object" && value !== null) {
    try {
      text = JSON.stringify(value) ?? String(value);
    } catch {
      text = String(value);
    }
  } else text = String(value);
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH - 3)}...` : text;
}

/** Base of all. The worker sends `code` and `facts`; the page rebuilds the class from them with {@link rebuildError}. */
export abstract class DivflowError extends Error {
  abstract readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(facts: ErrorFacts, options?: ErrorOptions) {
    super(`${facts.subject}: got ${show(facts.given)}, expected ${facts.expected}. ${facts.remedy}`, options);
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
