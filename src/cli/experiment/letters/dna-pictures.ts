/** Pictures of the experiment `dna`: logos of sequences and motifs, words by rank, GC content. */
import { type Curve, chart } from "../../report/curves.ts";
import { distributionChart, outline } from "../../report/distribution.ts";
import { figureOf, type Key, tableOf } from "../../report/html.ts";
import { bitsOf, logo } from "../../report/logo.ts";
import { rangeOf } from "../../report/rows.ts";
import { ALPHABET, type LabelledLetters } from "./dna-data.ts";
import { contentPercent, type MotifFound, motifsFound } from "./dna-metrics.ts";
import type { Planted } from "./promoters.ts";
import { placeCounts, sharesOf, wordShares } from "./spectra.ts";

/** A set of sequences, and how it is shown. */
export interface ShownLetters extends Key {
  readonly letters: LabelledLetters;
}

/** Logos are no lower than this many bits, or noise would fill them; and by this factor higher than rows held out need. */
const [LEAST_BITS, ROOM] = [0.25, 1.25];

const BARS = 24;

/** @param sets - rows held out first, then samples of models. */
export function dnaPictures(
  sets: readonly ShownLetters[],
  planted: readonly Planted[],
  classes: readonly string[] | undefined,
): string {
  return [
    `<h2>Letters by place</h2><p>A letter is as high as its share of the bits that its place tells; all on one scale.</p>${placeLogos(sets)}`,
    planted.length > 0 ? motifSection(sets, planted, classes ?? []) : "",
    `<h2>Words and GC content</h2><div class="row charts">${wordChart(sets)}${contentChart(sets)}</div>`,
  ].join("");
}

function placeLogos(sets: readonly ShownLetters[]): string {
  const shares = sets.map(({ letters }) => sharesOf(placeCounts(letters, ALPHABET.length), ALPHABET.length));
  const most = Math.max(LEAST_BITS, ROOM * Math.max(...bitsOf(shares[0] as Float64Array, ALPHABET.length)));
  const note = `the whole height is ${most.toFixed(2)} bits`;
  const figures = sets.map(({ title }, i) =>
    figureOf(
      title,
      i === 0 ? note : "",
      [],
      logo(shares[i] as Float64Array, ALPHABET, most, `Letters by place: ${title}`),
    ),
  );
  return `<div class="row charts">${figures.join("")}</div>`;
}

/** How often each planted motif is found, and its letters as found. */
function motifSection(sets: readonly ShownLetters[], planted: readonly Planted[], classes: readonly string[]): string {
  const found = sets.map(({ letters }) => motifsFound(letters, planted));
  const percent = (share: number) => (100 * share).toFixed(1);
  const [first = []] = found;
  const places = first.map(({ motif, kind }, i) => {
    const { shares = [] } = planted.find((one) => one.motif.name === motif) ?? {};
    return [
      `${motif} in ${classes[kind] ?? kind}`,
      percent(shares[kind] ?? 0),
      ...found.map((set) => percent((set[i] as MotifFound).share)),
    ];
  });
  const head = ["motif", "planted", ...sets.map(({ title }) => title)];
  const table = tableOf({ name: "Motifs", rows: [head, ...places], wraps: true });
  const logos = planted.map(({ motif, shares }) => {
    const kind = shares.indexOf(Math.max(...shares)); // the class that has it most often
    const rows = [
      ["as planted", motif.shares] as const,
      ...sets.map(({ title }, i) => {
        const counts = found[i]?.find((one) => one.motif === motif.name && one.kind === kind)?.counts ?? [];
        return [title, sharesOf(counts, ALPHABET.length)] as const;
      }),
    ];
    const drawn = rows
      .filter(([, own]) => own.every(Number.isFinite)) // none was found
      .map(([title, own]) => `<small>${title}</small>${logo(own, ALPHABET, 2, `${motif.name}: ${title}`)}`);
    return figureOf(motif.name, "as found; the whole height is 2 bits", [], drawn.join(""));
  });
  return (
    `<h2>Motifs</h2><p>Sequences of a class, in %, in which a motif is found where it belongs. A search finds some by chance, and misses ` +
    `weak ones: models are to have what rows held out have.</p><div class="card">${table}</div><div class="row charts logos">${logos.join("")}</div>`
  );
}

function wordChart(sets: readonly ShownLetters[]): string {
  const shares = sets.map(({ letters }) => wordShares(letters, 3, ALPHABET.length));
  const [known] = shares as [Float64Array, ...Float64Array[]];
  const order = Array.from(known.keys()).sort((a, b) => (known[b] as number) - (known[a] as number));
  const curves = sets.map(({ title, style }, i): Curve => {
    const own = shares[i] as Float64Array;
    return {
      name: title,
      style,
      exact: true,
      points: order.map((word, rank) => [rank + 1, 100 * (own[word] as number)]),
    };
  });
  return chart("Words of 3 letters", "shares in %", curves, {
    name: "word, from the commonest held out on",
    whole: true,
  });
}

function contentChart(sets: readonly ShownLetters[]): string {
  const [held, ...others] = sets as [ShownLetters, ...ShownLetters[]];
  const values = contentPercent(held.letters);
  const range = rangeOf(values);
  const lines = others.map(({ style, letters }) => ({ style, points: outline(contentPercent(letters), range, BARS) }));
  const picture = distributionChart({ name: "GC content, %", range, values, lines });
  return figureOf("GC content", "of each sequence", [{ title: held.title, style: "data" }, ...others], picture);
}
