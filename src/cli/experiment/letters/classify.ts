/** Which class a sequence is of, by its words alone: a judge of whether samples are of the class that they were told. */
import type { LabelledLetters } from "./dna-data.ts";
import type { Letters } from "./spectra.ts";

/** Gives the numbers of the likeliest classes of sequences. */
export type Classify = (sequences: Letters) => Uint8Array;

/** Letters of a word: 64 words. */
const WORD = 3;

/** Logarithms of shares in the rows of each class. */
export interface NaiveBayes {
  /** Of words of three letters, the first letter counts most: letters^3 for each class. */
  readonly words: readonly Float64Array[];
  /** Of letters by place: [places, letters] for each class. */
  readonly places: readonly Float64Array[];
}

/** Shares of words of three letters wherever they stand, and of letters by place, in the rows of each class, each with one more. */
export function naiveBayes(rows: LabelledLetters, classes: number, letters: number): NaiveBayes {
  const { places } = rows;
  const byWord = Array.from({ length: classes }, () => new Float64Array(letters ** WORD).fill(1));
  const byPlace = Array.from({ length: classes }, () => new Float64Array(places * letters).fill(1));
  const count = (of: Float64Array | undefined, at: number) => {
    if (of && at >= 0) of[at] = (of[at] as number) + 1;
  };
  for (let row = 0; row < rows.count; row++) {
    const kind = rows.labels[row] as number;
    visit(rows, row, letters, (word, place) => {
      count(byWord[kind], word);
      count(byPlace[kind], place);
    });
  }
  const logs = (counts: Float64Array, size: number) =>
    counts.map((one, i) => {
      const first = i - (i % size);
      return Math.log(one / counts.subarray(first, first + size).reduce((a, b) => a + b, 0));
    });
  return {
    words: byWord.map((counts) => logs(counts, letters ** WORD)),
    places: byPlace.map((counts) => logs(counts, letters)),
  };
}

/** A naive Bayes classifier, all classes as likely. */
export function classifierOf(rows: LabelledLetters, classes: number, letters: number): Classify {
  const known = naiveBayes(rows, classes, letters);
  return (sequences) =>
    Uint8Array.from({ length: sequences.count }, (_, row) => {
      const scores = new Float64Array(classes);
      visit(sequences, row, letters, (word, place) => {
        for (let kind = 0; kind < classes; kind++) {
          const ofWord = word >= 0 ? (known.words[kind]?.[word] as number) : 0;
          scores[kind] = (scores[kind] as number) + ofWord + (known.places[kind]?.[place] as number);
        }
      });
      return scores.indexOf(Math.max(...scores));
    });
}

/** Shows each place of a row: the number of the word that ends there, -1 before there is one, and place and letter as one number. */
function visit(of: Letters, row: number, letters: number, see: (word: number, place: number) => void): void {
  let word = 0;
  for (let place = 0; place < of.places; place++) {
    const letter = of.values[row * of.places + place] as number;
    word = (word * letters + letter) % letters ** WORD;
    see(place >= WORD - 1 ? word : -1, place * letters + letter);
  }
}

/** The share of sequences that a classifier finds to be of their class. */
export function shareRecognised(classify: Classify, rows: LabelledLetters): number {
  const found = classify(rows);
  return found.reduce((sum, kind, row) => sum + (kind === rows.labels[row] ? 1 : 0), 0) / rows.count;
}
