/** Contenders that are no models. */
import { numberOfShare, uniformSequence } from "../random-numbers.ts";
import { ALPHABET, type LabelledLetters } from "./dna-data.ts";
import { chosenRows, placeCounts, sharesOf } from "./spectra.ts";

/** The baseline that knows shares by place and class alone. */
export function lettersByPlace(rows: LabelledLetters, labels: Uint8Array, seed: number): LabelledLetters {
  const { places } = rows;
  const uniform = uniformSequence(seed);
  const shares = new Map(
    [...new Set(labels)].map((kind) => {
      const own = Array.from(rows.labels.keys()).filter((row) => rows.labels[row] === kind);
      return [kind, sharesOf(placeCounts(chosenRows(rows, own), ALPHABET.length), ALPHABET.length)];
    }),
  );
  const values = Uint8Array.from({ length: labels.length * places }, (_, i) => {
    const [row, place] = [Math.floor(i / places), i % places];
    const first = place * ALPHABET.length;
    const own = shares.get(labels[row] as number) as Float64Array;
    return numberOfShare(own.subarray(first, first + ALPHABET.length), uniform());
  });
  return { values, count: labels.length, places, labels };
}

/** Rows of the classes asked for, each once before one comes again. */
export function rowsAgain(rows: LabelledLetters, labels: Uint8Array, seed: number): LabelledLetters {
  const uniform = uniformSequence(seed);
  const keys = Array.from(rows.labels, () => uniform());
  const ofClass = new Map<number, number[]>();
  for (const row of Array.from(keys.keys()).sort((a, b) => (keys[a] as number) - (keys[b] as number))) {
    const kind = rows.labels[row] as number;
    ofClass.set(kind, [...(ofClass.get(kind) ?? []), row]);
  }
  const taken = new Map<number, number>();
  const chosen = Array.from(labels, (kind) => {
    const own = ofClass.get(kind) ?? [];
    const at = taken.get(kind) ?? 0;
    taken.set(kind, at + 1);
    return own[at % own.length] as number;
  });
  return { ...chosenRows(rows, chosen), labels };
}
