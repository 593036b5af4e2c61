/** Made sequences that are built as promoters are: a background by class, and motifs planted where promoters have them. */
import { numberOfShare, uniformSequence } from "../random-numbers.ts";
import { type Motif, motifOf, plant } from "./motifs.ts";
import type { Letters } from "./spectra.ts";

/** A motif of a class: in which share of its sequences, and where. */
export interface Planted {
  readonly motif: Motif;
  /** Shares of the classes' sequences that have it. */
  readonly shares: readonly number[];
  /** It begins at one of the places [from, to), each as likely. */
  readonly from: number;
  readonly to: number;
}

/** Names of the classes. */
export const promoterClasses = ["tata", "cpg"] as const;

/** Shares of A, C, G, T in the backgrounds of the classes. */
const BACKGROUNDS = [
  [0.29, 0.21, 0.21, 0.29],
  [0.18, 0.32, 0.32, 0.18],
] as const;

/** After a C, a G is so many times as likely as by its share: outside CpG islands the pair is rare. */
const CPG = [0.25, 1] as const;

/** Of letters that are not of the consensus. */
const LOOSE = 0.12;

/** Shortest sequences that hold all motifs. */
export const SHORTEST = 48;

/**
 * The motifs of sequences of `places`, in the order in which they stand, after published consensuses: the GC box that Sp1 binds, the TATA box, and the
 * initiator at the start of transcription. None lies over another.
 */
export function promoterMotifs(places: number): readonly Planted[] {
  const start = places - 12; // of transcription
  return [
    { motif: motifOf("GC box", "GGGCGGGG", LOOSE), shares: [0.15, 0.85], from: 2, to: start - 31 },
    { motif: motifOf("TATA box", "TATAWAWR", LOOSE), shares: [0.9, 0.05], from: start - 22, to: start - 19 },
    { motif: motifOf("initiator", "YYANWYY", LOOSE), shares: [0.8, 0.4], from: start, to: start + 1 },
  ];
}

export interface Promoters extends Letters {
  /** Numbers of the classes, [count]: as many of each. */
  readonly labels: Uint8Array;
}

/** Draws sequences; equal seeds give equal ones. @param places - at least {@link SHORTEST}. */
export function drawPromoters(count: number, places: number, seed: number): Promoters {
  const uniform = uniformSequence(seed);
  const values = new Uint8Array(count * places);
  const labels = Uint8Array.from({ length: count }, (_, row) => row % promoterClasses.length);
  const planted = promoterMotifs(places);
  const tables = BACKGROUNDS.map((shares, kind) => backgroundOf(shares, CPG[kind] as number));
  for (let row = 0; row < count; row++) {
    const kind = labels[row] as number;
    const sequence = values.subarray(row * places, (row + 1) * places);
    const table = tables[kind] as readonly (readonly number[])[];
    for (let place = 0; place < places; place++) {
      const before = place === 0 ? 0 : (sequence[place - 1] as number);
      sequence[place] = numberOfShare(table[before] as readonly number[], uniform());
    }
    for (const { motif, shares, from, to } of planted) {
      const isThere = uniform() < (shares[kind] as number);
      const at = from + Math.floor(uniform() * (to - from));
      if (isThere) plant(motif, sequence, at, uniform);
    }
  }
  return { values, count, places, labels };
}

/** Shares of letters after each letter: the background's, but for a G after a C. */
function backgroundOf(shares: readonly number[], cpg: number): readonly (readonly number[])[] {
  return shares.map((_, before) => {
    const weights = shares.map((share, letter) => (before === 1 && letter === 2 ? share * cpg : share));
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight) => weight / sum);
  });
}
