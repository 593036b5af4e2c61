/** Reading of case files: their text comes from users, so each field is checked, and what is wrong is named. */
import { DataError } from "../../errors.ts";
import { isRecord } from "../../graph/options.ts";

/** The largest finite f32: what a device can be given. */
const LARGEST = 3.4028234663852886e38;

/** A tensor of the file: row-major, each number one that a device can be given. */
export interface CaseTensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
  readonly dtype: "f32" | "u32";
}

/** Axes that a tensor may have. */
const MOST_AXES = 8;

/**
 * The fields of one object of the file. `place` is what messages put before a field's name.
 *
 * All methods throw a {@link DataError} that names the field which is missing or wrong.
 */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #place: string;

  constructor(given: unknown, place: string) {
    this.#place = place;
    this.#object = isRecord(given) ? given : this.refuse("", given, "an object");
  }

  names(): string[] {
    return Object.keys(this.#object);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  object(name: string): Fields {
    return new Fields(this.value(name), `${this.#place}${name}.`);
  }

  /** Refuses fields of other names: a misspelt quantity must not go uncompared. */
  only(names: readonly string[]): void {
    const other = this.names().find((name) => !names.includes(name));
    if (other !== undefined) this.refuse(other, "a field of this name", `only ${names.join(", ") || "none"}`);
  }

  integer(name: string, maximum = Number.MAX_SAFE_INTEGER, minimum = 1): number {
    const value = this.value(name) as number;
    if (Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
    const bound = maximum < Number.MAX_SAFE_INTEGER ? ` up to ${maximum}` : "";
    return this.refuse(name, value, minimum > 0 ? `a positive integer${bound}` : `an integer from ${minimum}${bound}`);
  }

  number(name: string, minimum = -LARGEST, maximum = LARGEST): number {
    return this.#number(name, this.value(name), minimum, maximum);
  }

  positive(name: string): number {
    const value = this.value(name);
    if (typeof value === "number" && value > 0 && value <= LARGEST) return value;
    return this.refuse(name, value, "a positive number");
  }

  choice<Choice>(name: string, choices: readonly Choice[]): Choice {
    const value = this.value(name);
    const choice = choices.find((candidate) => candidate === value);
    return choice ?? this.refuse(name, value, `one of ${choices.join(", ")}`);
  }

  /** A list, of so many where that is known. */
  list(name: string, length?: number): readonly unknown[] {
    return this.#list(name, this.value(name), length);
  }

  integers(name: string, maximum = Number.MAX_SAFE_INTEGER): number[] {
    return this.list(name).map((value, i) => {
      const isOne = Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= maximum;
      return isOne ? (value as number) : this.refuse(`${name}[${i}]`, value, `a positive integer up to ${maximum}`);
    });
  }

  texts(name: string): string[] {
    return this.list(name).map((value, i) =>
      typeof value === "string" ? value : this.refuse(`${name}[${i}]`, value, "text"),
    );
  }

  numbers(name: string, length: number, minimum = -LARGEST, maximum = LARGEST): number[] {
    return this.#numbers(name, this.value(name), length, minimum, maximum);
  }

  /** A list of numbers; one alone may stand without its brackets. */
  quantity(name: string, length: number): number[] {
    const value = this.value(name);
    if (length === 1 && !Array.isArray(value)) return [this.#number(name, value, -LARGEST, LARGEST)];
    return this.#numbers(name, value, length, -LARGEST, LARGEST);
  }

  /** A list of numbers for each layer. */
  layers(name: string, sizes: readonly number[]): number[][] {
    const list = this.list(name, sizes.length);
    return sizes.map((size, layer) => this.#numbers(`${name}[${layer}]`, list[layer], size, -LARGEST, LARGEST));
  }

  /** A tensor of any shape, or of the one that is expected. */
  tensor(name: string, expected?: readonly number[]): CaseTensor {
    const fields = this.object(name);
    fields.only(["shape", "data", "dtype"]);
    const shape = fields.shape();
    if (expected && shape.join() !== expected.join()) {
      fields.refuse("shape", shape, `[${expected.join(", ")}]`);
    }
    const dtype = fields.has("dtype") ? fields.choice("dtype", ["u32", "f32"] as const) : "f32";
    const length = shape.reduce((product, size) => product * size, 1);
    if (dtype === "f32") return { shape, dtype, data: fields.numbers("data", length) };
    const data = fields.numbers("data", length, 0, 2 ** 32 - 1);
    const broken = data.findIndex((value) => !Number.isInteger(value));
    if (broken >= 0) fields.refuse(`data[${broken}]`, data[broken], "an integer");
    return { shape, dtype, data };
  }

  /** The sizes under "shape": as many as a tensor may have, each at least 1. */
  shape(): number[] {
    const shape = this.integers("shape");
    if (shape.length > MOST_AXES) this.refuse("shape", shape, `at most ${MOST_AXES} axes`);
    return shape;
  }

  value(name: string): unknown {
    return this.has(name) ? this.#object[name] : this.refuse(name, "nothing", "a value");
  }

  refuse(name: string, given: unknown, expected: string): never {
    const subject = `${this.#place}${name}`.replace(/[.: ]+$/, "");
    throw new DataError({
      subject,
      given,
      expected,
      remedy: "Correct the field; the cases that ship with divflow show the format.",
    });
  }

  #list(name: string, value: unknown, length?: number): readonly unknown[] {
    if (!Array.isArray(value)) return this.refuse(name, value, length === undefined ? "a list" : `a list of ${length}`);
    if (length !== undefined && value.length !== length) {
      this.refuse(name, `${value.length} entries`, `${length} entries`);
    }
    return value;
  }

  #numbers(name: string, value: unknown, length: number, minimum: number, maximum: number): number[] {
    return this.#list(name, value, length).map((entry, i) => this.#number(`${name}[${i}]`, entry, minimum, maximum));
  }

  #number(name: string, value: unknown, minimum: number, maximum: number): number {
    if (typeof value === "number" && value >= minimum && value <= maximum) return value;
    return this.refuse(name, value, `a number from ${minimum} to ${maximum}`);
  }
}

/** The JSON value that this text is. `file` is what messages call it. */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const given = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(
      { subject: file, given, expected: "JSON text", remedy: "Give a case file, as `divflow verify` ships them." },
      { cause },
    );
  }
}
