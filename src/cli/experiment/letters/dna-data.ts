/** Sequences that the experiment `dna` is of: a FASTA file's, or made ones, apart into rows to train on and rows held out. */
import { readFasta } from "../../../data.ts";
import { ConfigError, DataError, splitRows } from "../../../index.ts";
import type { DnaSettings } from "../dna.ts";
import type { Job } from "../experiment.ts";
import { expectSameInput, inputBytes } from "../input-file.ts";
import { drawPromoters, type Planted, promoterClasses, promoterMotifs, SHORTEST } from "./promoters.ts";
import { chosenRows, type Letters } from "./spectra.ts";

export const ALPHABET = "ACGT";

/** The name of made sequences. */
export const MADE = "promoters";

/** Rows, and the numbers of their classes; one class where there are none. */
export interface LabelledLetters extends Letters {
  readonly labels: Uint8Array;
}

export interface DnaData {
  readonly training: LabelledLetters;
  readonly heldOut: LabelledLetters;
  /** Names of the classes, if there are some. */
  readonly classes: readonly string[] | undefined;
  /** Motifs that are known to be there. */
  readonly planted: readonly Planted[];
}

/** Fewer rows would leave nothing to judge by. */
const FEWEST = 20;

/** Rows of a file, as numbers of letters. @throws DataError when it is none, or its sequences are of several lengths. */
export function readSequences(path: string): LabelledLetters & { readonly classes?: readonly string[] } {
  const { sequences, ids, lines, labels } = readFasta(inputBytes(path, `a FASTA file, or "${MADE}"`), path, {
    alphabet: ALPHABET,
  });
  const places = (sequences[0] as string).length;
  const other = sequences.findIndex((one) => one.length !== places);
  if (other >= 0) {
    throw new DataError({
      subject: `${path}, line ${lines[other]}`,
      given: `${(sequences[other] as string).length} letters in ${ids[other]}`,
      expected: `${places}, as the first sequence has`,
      remedy: "Cut all to one length, such as so many letters on both sides of what they are about.",
    });
  }
  if (places < 6 || sequences.length < FEWEST) {
    throw new DataError({
      subject: path,
      given: `${sequences.length} sequences of ${places} letters`,
      expected: `at least ${FEWEST} of at least 6`,
      remedy: "Give more sequences, or longer ones.",
    });
  }
  const classes = labels && [...new Set(labels)].sort();
  if (classes && classes.length > 255) {
    const facts = { given: `${classes.length} labels`, expected: "at most 255, each of several sequences" };
    throw new DataError({ subject: path, ...facts, remedy: "Name the label of a kind, not of a sequence." });
  }
  return {
    values: Uint8Array.from(sequences.join(""), (letter) => ALPHABET.indexOf(letter)),
    ...{ count: sequences.length, places },
    labels: Uint8Array.from(sequences, (_, row) => classes?.indexOf(labels?.[row] as string) ?? 0),
    ...(classes && { classes }),
  };
}

/** Refuses settings that do not go with the sequences. */
export function checkSequences({ places, rows, heldOut }: DnaSettings, input: string): void {
  if (input !== MADE) {
    readSequences(input);
    return;
  }
  const wrong = (subject: string, given: number, expected: string) => {
    throw new ConfigError({ subject: `--set ${subject} of dna`, given, expected, remedy: "See docs/experiments.md." });
  };
  if (!Number.isInteger(places) || places < SHORTEST)
    wrong("places", places, `an integer from ${SHORTEST}: all motifs have to fit`);
  if (!Number.isInteger(rows) || rows < FEWEST) wrong("rows", rows, `an integer from ${FEWEST}`);
  if (!(heldOut > 0 && heldOut < 1)) wrong("heldOut", heldOut, "a share in (0, 1)");
}

/** The data of a seed; what is held out is kept, so that it can be looked at. */
export async function dnaData({ settings, input, seed, evaluationSeed, kept }: Job<DnaSettings>): Promise<DnaData> {
  const data = input === MADE ? madeData(settings, seed, evaluationSeed) : fileData(settings, input, seed);
  for (const name of ["training", "heldOut"] as const) {
    const { values, count, places, labels } = data[name];
    const isThere = await kept(name, () => ({ values: Float32Array.from(values), shape: [count, places] }));
    await kept(`${name}-labels`, () => ({ values: Float32Array.from(labels), shape: [count] }));
    expectSameInput(input, "other sequences", isThere.data, values);
  }
  return data;
}

function madeData({ rows, places, heldOut }: DnaSettings, seed: number, evaluationSeed: number): DnaData {
  return {
    training: drawPromoters(rows, places, seed),
    heldOut: drawPromoters(Math.max(FEWEST, Math.round(rows * heldOut)), places, evaluationSeed),
    classes: promoterClasses,
    planted: promoterMotifs(places),
  };
}

function fileData({ heldOut }: DnaSettings, input: string, seed: number): DnaData {
  const { classes, labels, ...all } = readSequences(input);
  const split = splitRows(all.count, heldOut, seed);
  const part = (rows: Uint32Array): LabelledLetters => ({
    ...chosenRows(all, rows),
    labels: Uint8Array.from(rows, (row) => labels[row] as number),
  });
  return { training: part(split.training), heldOut: part(split.heldOut), classes, planted: [] };
}
