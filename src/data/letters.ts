/** Sequences of letters as data: points of the simplex's corners, kept as one number a letter. */
import { ConfigError, DataError } from "../errors.ts";
import { integerOption, isRecord, optionsObject } from "../graph/options.ts";
import { equal, toFloat } from "../ops/arithmetic.ts";
import { gather } from "../ops/rows.ts";
import { reshape } from "../ops/shape.ts";
import { table } from "../ops/sources.ts";
import { defineData } from "./define-data.ts";
import type { ConditionValues } from "./numbers.ts";
import { rowConditions } from "./row-conditions.ts";
import type { DataSource } from "./source.ts";

/** Sequences of one length: texts, or the numbers of their letters, from 0. */
export type Sequences = readonly (string | ArrayLike<number>)[];

export interface LettersDataOptions {
  /** The letters in the order of their numbers, such as "ACGT": what texts are made of. */
  readonly alphabet?: string;
  /** K, where there is no alphabet. */
  readonly letters?: number;
  /** What is known of each sequence, as {@link arrayData} takes it. */
  readonly conditions?: Readonly<Record<string, ConditionValues>>;
}

/**
 * Sequences as points [L, K] of the simplex, 1 at each position's letter. On the device a letter is one number; a batch is gathered there
 * by random indices, each sequence equally likely, with replacement, and what is known of these with them. Checkpoints keep
 * a fingerprint, and the alphabet: resume with the same data.
 *
 * @throws {@link ConfigError} when an option is unknown or wrong.
 * @throws {@link DataError} when there are no sequences, lengths differ, or a letter is none: the message names row and place.
 * @example
 * const data = lettersData(["ACGT", "TTGA"], { alphabet: "ACGT", conditions: { species: ["fly", "human"] } });
 */
export function lettersData(sequences: Sequences, options: LettersDataOptions = {}): DataSource {
  const { alphabet, letters, conditions } = optionsObject("options of lettersData", options, [
    ...(["alphabet", "letters", "conditions"] as const),
  ]);
  const count = lettersOption(alphabet, letters);
  const { values, rows, places } = lettersIn(sequences, alphabet === undefined ? undefined : [...alphabet], count);
  const told = conditions === undefined ? {} : rowConditions(conditions, rows, "lettersData");
  const declared = Object.entries(told).map(([name, { values: _, ...one }]) => [name, one] as const);
  const conditionState = (name: string) => `condition ${name}`;
  return defineData({
    // Part of what checkpoints keep: the same numbers are other sequences under another alphabet.
    name: alphabet === undefined ? "letters" : `letters ${alphabet}`,
    shape: [places, count],
    ...(declared.length > 0 ? { conditions: Object.fromEntries(declared) } : {}),
    state: {
      letters: { values, shape: [rows, places] },
      ...Object.fromEntries(
        Object.entries(told).map(([name, { values, shape }]) => [
          conditionState(name),
          { values: values instanceof Uint32Array ? values : Float32Array.from(values), shape: [rows, ...shape] },
        ]),
      ),
    },
    draw({ rows: batch, random, state }) {
      const chosen = random("index", [batch], { bound: rows });
      const numbers = reshape(toFloat(gather(state("letters"), chosen)), [batch, places, 1]);
      const names = Array.from({ length: count }, (_, k) => k);
      const points = equal(numbers, table(names, [1, 1, count]));
      if (declared.length === 0) return points;
      const known = declared.map(([name]) => [name, gather(state(conditionState(name)), chosen)] as const);
      return { points, conditions: Object.fromEntries(known) };
    },
  });
}

function lettersOption(alphabet: unknown, letters: unknown): number {
  if (alphabet === undefined) return integerOption("letters of lettersData", letters, 2, 256);
  const all = typeof alphabet === "string" ? [...alphabet] : [];
  const isRight = all.length >= 2 && all.length <= 256 && new Set(all).size === all.length;
  if (!isRight || (letters !== undefined && letters !== all.length)) {
    throw new ConfigError({
      subject: isRight ? "letters of lettersData" : "alphabet of lettersData",
      given: isRight ? letters : (alphabet ?? String(alphabet)),
      expected: isRight ? `${all.length}, those of the alphabet` : "2 to 256 different letters",
      remedy: 'Give text such as "ACGT", or letters: 4 alone where sequences are numbers.',
    });
  }
  return all.length;
}

/** The numbers of all letters, row-major. */
function lettersIn(sequences: unknown, alphabet: readonly string[] | undefined, count: number) {
  if (!Array.isArray(sequences) || sequences.length === 0) {
    const remedy = "Give texts and their alphabet, or numbers: [[0, 2, 1], [3, 3, 0]].";
    const given = Array.isArray(sequences) ? "no sequences" : (sequences ?? String(sequences));
    throw new DataError({ subject: "sequences of lettersData", given, expected: "a list of sequences", remedy });
  }
  const numberOf = new Map(alphabet?.map((letter, number) => [letter, number]));
  const all = sequences.map((sequence: unknown, row) => {
    if (typeof sequence === "string") {
      if (alphabet) return Array.from(sequence, (letter) => numberOf.get(letter) ?? letter);
    } else if (Array.isArray(sequence) || (ArrayBuffer.isView(sequence) && "length" in sequence)) {
      return Array.from(sequence as ArrayLike<unknown>);
    }
    throw new DataError({
      subject: `sequence ${row} (from 0) of lettersData`,
      given: typeof sequence === "string" ? "text without an alphabet" : isRecord(sequence) ? "an object" : sequence,
      expected: "text and its alphabet, or numbers",
      remedy: 'Give the alphabet, such as "ACGT", in the order of the numbers.',
    });
  });
  const places = (all[0] as unknown[]).length;
  const values = new Uint32Array(all.length * places);
  all.forEach((sequence, row) => {
    if (sequence.length !== places || places === 0) {
      throw new DataError({
        subject: `sequence ${row} (from 0) of lettersData`,
        given: `${sequence.length} letters`,
        expected: places === 0 ? "at least one" : `${places}, as the first has`,
        remedy: "Cut them to one length, or fill the shorter ones with a letter of their own.",
      });
    }
    sequence.forEach((letter, place) => {
      if (!(Number.isInteger(letter) && (letter as number) >= 0 && (letter as number) < count)) {
        throw new DataError({
          subject: `sequence ${row}, place ${place} (from 0) of lettersData`,
          given: letter ?? String(letter),
          expected: alphabet ? `one of ${alphabet.join("")}, or its number` : `an integer from 0 to ${count - 1}`,
          remedy: "Correct the letter, or add it to the alphabet.",
        });
      }
      values[row * places + place] = letter as number;
    });
  });
  return { values, rows: all.length, places };
}
