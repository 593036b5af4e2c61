/** Which class a sequence is of, by its words alone: a judge of whether samples are of the class that they were told. */
import type { LabelledLetters } from "./dna-data.ts";
import type { Letters } from "./spectra.ts";

/** Gives the numbers of the likeliest classes of sequences. */
export type Classify = (sequences: Letters) => Uint8Array;

/** Letters of a word: 64 words. */
const WORD = 3;

/**
 * A naive Bayes classifier on words of three letters wherever they stand, and on letters by place, both by their shares in the rows of each
 * class (each with one more), all classes as likely.
 */
export function classifierOf(rows: LabelledLetters, classes: number, letters: number): Classify {
  const words = letters ** WORD;
  const { places } = rows;
  const byWord = Array.from({ length: classes }, () => new Float64Array(words).fill(1));
  const byPlace = Array.from({ length: classes }, () => new Float64Array(places * letters).fill(1));
  const visit = (of: Letters, row: number, see: (word: number, place: number) => void) => {
    let word = 0;
    for (let place = 0; place < places; place++) {
      const letter = of.values[row * places + place] as number;
      word = (word * letters + letter) % words;
      see(place >= WORD - 1 ? word : -1, place * letters + letter);
    }
  };
  for (let row = 0; row < rows.count; row++) {
    const [ofWords, ofPlaces] = [byWord, byPlace].map((all) => all[rows.labels[row] as number] as Float64Array);
    visit(rows, row, (word, place) => {
      if (word >= 0) (ofWords as Float64Array)[word] = ((ofWords as Float64Array)[word] as number) + 1;
      (ofPlaces as Float64Array)[place] = ((ofPlaces as Float64Array)[place] as number) + 1;
    });
  }
  const logs = (counts: Float64Array, size: number) =>
    counts.map((count, i) => {
      const first = i - (i % size);
      return Math.log(count / counts.subarray(first, first + size).reduce((a, b) => a + b, 0));
    });
  const wordLogs = byWord.map((counts) => logs(counts, words));
  const placeLogs = byPlace.map((counts) => logs(counts, letters));
  return (sequences) =>
    Uint8Array.from({ length: sequences.count }, (_, row) => {
      const scores = new Float64Array(classes);
      visit(sequences, row, (word, place) => {
        for (let kind = 0; kind < classes; kind++) {
          const ofWord = word >= 0 ? (wordLogs[kind] as Float64Array)[word] : 0;
          scores[kind] =
            (scores[kind] as number) + (ofWord as number) + ((placeLogs[kind] as Float64Array)[place] as number);
        }
      });
      return scores.indexOf(Math.max(...scores));
    });
}

/** The share of sequences that a classifier finds to be of their class. */
export function shareRecognised(classify: Classify, rows: LabelledLetters): number {
  const found = classify(rows);
  return found.reduce((sum, kind, row) => sum + (kind === rows.labels[row] ? 1 : 0), 0) / rows.count;
}
