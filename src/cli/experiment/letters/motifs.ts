/** Motifs as position-weight matrices: drawn, found again in sequences, and compared. */
import { numberOfShare } from "../random-numbers.ts";
import { divergenceByPlace, type Letters, placeCounts, sharesOf } from "./spectra.ts";

/** A position-weight matrix over A, C, G, T. */
export interface Motif {
  readonly name: string;
  /** Row-major [length, 4]; each row sums to 1, none is 0. */
  readonly shares: Float64Array;
  readonly length: number;
}

/** What stands for letters in a consensus: letters of IUPAC's code. */
const IUPAC: Readonly<Record<string, string>> = {
  ...{ A: "A", C: "C", G: "G", T: "T", R: "AG", Y: "CT", S: "CG", W: "AT", K: "GT", M: "AC" },
  ...{ B: "CGT", D: "AGT", H: "ACT", V: "ACG", N: "ACGT" },
};

/** The motif of a consensus in IUPAC's code: its letters share 1 - `loose` at each place, the others the rest. */
export function motifOf(name: string, consensus: string, loose: number): Motif {
  const rows = [...consensus].flatMap((code) => {
    const among = IUPAC[code] ?? "";
    return [..."ACGT"].map((letter) => {
      if (among.length === 4) return 0.25;
      return among.includes(letter) ? (1 - loose) / among.length : loose / (4 - among.length);
    });
  });
  return { name, shares: Float64Array.from(rows), length: consensus.length };
}

/** Writes a draw of the motif over a sequence from a place on. */
export function plant(motif: Motif, into: Uint8Array, at: number, uniform: () => number): void {
  for (let place = 0; place < motif.length; place++) {
    into[at + place] = numberOfShare(motif.shares.subarray(4 * place, 4 * place + 4), uniform());
  }
}

/** Where in each sequence a motif was found, -1: nowhere. */
export type Found = Int32Array;

/**
 * Where each sequence has the motif within places [from, to): where its log-odds against even letters are highest, if they reach
 * the share `threshold` of the way from 0 to the highest that there can be.
 */
export function findMotif(
  { values, count, places }: Letters,
  { shares, length }: Motif,
  [from, to]: readonly [number, number],
  threshold: number,
): Found {
  const odds = shares.map((share) => Math.log(4 * share));
  let highest = 0;
  for (let place = 0; place < length; place++) highest += Math.max(...odds.subarray(4 * place, 4 * place + 4));
  return Int32Array.from({ length: count }, (_, row) => {
    let [best, where] = [threshold * highest, -1];
    for (let at = from; at + length <= Math.min(to, places); at++) {
      let score = 0;
      for (let place = 0; place < length; place++) {
        score += odds[4 * place + (values[row * places + at + place] as number)] as number;
      }
      if (score >= best) [best, where] = [score, at];
    }
    return where;
  });
}

/** The share of sequences that have it. */
export function shareFound(found: Found): number {
  return found.reduce((sum, at) => sum + (at >= 0 ? 1 : 0), 0) / found.length;
}

/** Counts of letters at each place of the motif where it was found: [length, 4]. */
export function lettersFound({ values, places }: Letters, { length }: Motif, found: Found): Float64Array {
  const rows = Array.from(found.keys()).filter((row) => (found[row] as number) >= 0);
  const cut = new Uint8Array(rows.length * length);
  rows.forEach((row, i) => {
    const first = row * places + (found[row] as number);
    cut.set(values.subarray(first, first + length), i * length);
  });
  return placeCounts({ values: cut, count: rows.length, places: length }, 4);
}

/** KL in nats of the letters found in one set of sequences from those found in another, mean over places; NaN where none were. */
export function divergenceOfMotifs(found: Float64Array, other: Float64Array): number {
  if (found.every((count) => count === 0)) return Number.NaN;
  const byPlace = divergenceByPlace(sharesOf(found, 4), other, 4);
  return byPlace.reduce((sum, value) => sum + value, 0) / byPlace.length;
}
