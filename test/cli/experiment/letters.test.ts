/** What sequences are judged by, against sets that are counted by hand, closed forms, and draws whose law is known. */
import { describe, expect, test } from "vitest";
import { lettersByPlace, rowsAgain } from "../../../src/cli/experiment/letters/baselines.ts";
import { classifierGuide } from "../../../src/cli/experiment/letters/classifier-guide.ts";
import { classifierOf, naiveBayes, shareRecognised } from "../../../src/cli/experiment/letters/classify.ts";
import { byClass } from "../../../src/cli/experiment/letters/dna-guidance.ts";
import { metricsOfSamples, THRESHOLD } from "../../../src/cli/experiment/letters/dna-metrics.ts";
import {
  divergenceOfMotifs,
  findMotif,
  lettersFound,
  motifOf,
  plant,
  shareFound,
} from "../../../src/cli/experiment/letters/motifs.ts";
import { drawPromoters, promoterMotifs } from "../../../src/cli/experiment/letters/promoters.ts";
import {
  chosenRows,
  contentOf,
  distanceOfLists,
  divergenceByPlace,
  type Letters,
  nearestDistances,
  placeCounts,
  sharesOf,
  totalVariation,
  wordShares,
} from "../../../src/cli/experiment/letters/spectra.ts";
import { drawLetters, drawShares, sharesOfClass, toyData } from "../../../src/cli/experiment/letters/toy.ts";
import { uniformSequence } from "../../../src/cli/experiment/random-numbers.ts";
import { bitsOf, logo } from "../../../src/cli/report/logo.ts";
import { sampleRows } from "../../../src/data/sample.ts";
import { openGuidance } from "../../../src/flow/guidance/graph-guidance.ts";
import { evaluate } from "../../../src/graph/evaluate.ts";
import { ops } from "../../../src/networks.ts";

const letters = (...rows: string[]): Letters => ({
  values: Uint8Array.from(rows.join(""), (letter) => "ACGT".indexOf(letter)),
  count: rows.length,
  places: (rows[0] as string).length,
});
const word = (text: string) => [...text].reduce((sum, letter) => 4 * sum + "ACGT".indexOf(letter), 0);
const sum = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0);

describe("spectra", () => {
  test("words are counted within rows, wherever they stand", () => {
    const shares = wordShares(letters("ACGT", "TACG"), 3, 4);
    expect(shares[word("ACG")]).toBeCloseTo(2 / 4, 12);
    expect(shares[word("CGT")]).toBeCloseTo(1 / 4, 12);
    expect(shares[word("TAC")]).toBeCloseTo(1 / 4, 12);
    expect(sum(shares)).toBeCloseTo(1, 12);
    expect([...wordShares(letters("AACG"), 1, 4)]).toEqual([0.5, 0.25, 0.25, 0]);
    expect(wordShares(letters("ACGTACGT"), 6, 4)[word("GTACGT")]).toBeCloseTo(1 / 3, 12);
  });

  test("total variation is 0 of equal shares, 1 of such as have nothing in common", () => {
    expect(totalVariation([0.5, 0.5], [0.5, 0.5])).toBe(0);
    expect(totalVariation([1, 0], [0, 1])).toBe(1);
    expect(totalVariation([0.7, 0.2, 0.1], [0.5, 0.2, 0.3])).toBeCloseTo(0.2, 12);
  });

  test("letters by place, and their shares", () => {
    const counts = placeCounts(letters("AC", "AG", "TG"), 4);
    expect([...counts]).toEqual([2, 0, 0, 1, 0, 1, 2, 0]);
    expect([...sharesOf(counts, 4)]).toEqual([2 / 3, 0, 0, 1 / 3, 0, 1 / 3, 2 / 3, 0]);
  });

  test("the divergence of shares from counts, by hand", () => {
    const [first, second] = divergenceByPlace([0.5, 0.5, 1, 0], [30, 10, 9, 0], 2);
    const share = 30.5 / 41;
    expect(first).toBeCloseTo(0.5 * Math.log(0.5 / share) + 0.5 * Math.log(0.5 / (1 - share)), 12);
    expect(second).toBeCloseTo(Math.log(10 / 9.5), 12);
  });

  test("of draws from the shares themselves it is (K - 1) / (2 n) on average", () => {
    const toy = drawShares({ classes: 1, places: 200, letters: 8 }, 2, 1);
    const drawn = drawLetters(toy, 0, 500, 2);
    const found = divergenceByPlace(sharesOfClass(toy, 0), placeCounts(drawn, 8), 8);
    expect(sum(found) / 200 / (7 / 1000)).toBeCloseTo(1, 0); // within half; 200 places: 4 standard errors are 0.15
    expect(Math.abs(sum(found) / 200 / (7 / 1000) - 1)).toBeLessThan(0.16);
  });

  test("content by row", () => {
    expect([...contentOf(letters("ACGT", "GGCA"), [1, 2])]).toEqual([0.5, 0.75]);
  });

  test("the distance of lists is that of their quantiles", () => {
    expect(distanceOfLists([0, 1], [2, 3])).toBe(2);
    expect(distanceOfLists([3, 1], [1, 3])).toBe(0);
    expect(distanceOfLists([0], [0, 1])).toBe(0.5);
    expect(distanceOfLists([0, 0, 3], [1])).toBeCloseTo((1 + 1 + 2) / 3, 12);
  });

  test("the nearest row, by places that differ", () => {
    const rows = letters("AAAA", "ACGT", "TTTT");
    expect([...nearestDistances(letters("ACGA", "TTTT", "GGGG", "CAAA"), rows)]).toEqual([1, 0, 3, 1]);
    expect([...chosenRows(rows, [2, 0]).values]).toEqual([3, 3, 3, 3, 0, 0, 0, 0]);
  });
});

describe("motifs", () => {
  test("a consensus as shares", () => {
    const { shares, length } = motifOf("x", "AWN", 0.12);
    expect(length).toBe(3);
    const known = [0.88, 0.04, 0.04, 0.04, 0.44, 0.06, 0.06, 0.44, 0.25, 0.25, 0.25, 0.25];
    for (const [i, share] of known.entries()) expect(shares[i]).toBeCloseTo(share, 12);
  });

  test("planted ones have their shares", () => {
    const motif = motifOf("x", "AWN", 0.12);
    const uniform = uniformSequence(3);
    const of = { values: new Uint8Array(5 * 20_000), count: 20_000, places: 5 };
    for (let row = 0; row < of.count; row++) plant(motif, of.values.subarray(5 * row, 5 * row + 5), 1, uniform);
    const shares = sharesOf(placeCounts(of, 4), 4);
    for (const [i, share] of motif.shares.entries())
      expect(Math.abs((shares[4 + i] as number) - share)).toBeLessThan(0.015);
    expect(shares[0]).toBe(1); // beside it nothing is written
    expect(shares[16]).toBe(1);
  });

  test("are found where they are, the best of several, within their places", () => {
    const motif = motifOf("x", "GATC", 0.1);
    const of = letters("AAGATCAAAA", "GATCAAAAAA", "AAAAAAAAAA", "AGATGGATCA", "AAAAAAGATC");
    expect([...findMotif(of, motif, [1, 9], 0.6)]).toEqual([2, -1, -1, 5, -1]);
    expect([...findMotif(of, motif, [0, 10], 0.6)]).toEqual([2, 0, -1, 5, 6]);
    expect(shareFound(findMotif(of, motif, [0, 10], 0.6))).toBeCloseTo(4 / 5, 12);
    // One letter off is ln(0.9 x 4) less ln(0.1 / 3 x 4) of 4 ln(0.9 x 4) below the highest: 0.36 of it is left.
    expect([...findMotif(letters("GATG"), motif, [0, 4], 0.355)]).toEqual([0]);
    expect([...findMotif(letters("GATG"), motif, [0, 4], 0.36)]).toEqual([-1]);
    const found = findMotif(of, motif, [0, 10], 0.6);
    expect([...lettersFound(of, motif, found)]).toEqual([0, 0, 4, 0, 4, 0, 0, 0, 0, 0, 0, 4, 0, 4, 0, 0]);
  });

  test("letters found in two sets are compared by place", () => {
    const a = Float64Array.of(10, 10, 0, 0);
    expect(divergenceOfMotifs(a, a)).toBeCloseTo(Math.log((0.5 * 22) / 10.5), 12);
    expect(divergenceOfMotifs(Float64Array.of(0, 0, 0, 0), a)).toBeNaN();
  });
});

describe("made sequences", () => {
  const drawn = drawPromoters(6000, 64, 5);
  const ofClass = (kind: number) =>
    chosenRows(
      drawn,
      Array.from(drawn.labels.keys()).filter((row) => drawn.labels[row] === kind),
    );

  test("come again by seed; half of each class", () => {
    expect(drawPromoters(50, 64, 5).values).toEqual(drawn.values.subarray(0, 50 * 64));
    expect(drawPromoters(50, 64, 6).values).not.toEqual(drawn.values.subarray(0, 50 * 64));
    expect(sum(drawn.labels)).toBe(3000);
  });

  test("have motifs as often as planted, but for what a search misses and finds by chance", () => {
    for (const { motif, shares, from, to } of promoterMotifs(64)) {
      const found = shares.map((_, kind) =>
        shareFound(findMotif(ofClass(kind), motif, [from, to + motif.length - 1], THRESHOLD)),
      );
      const [a, b] = found as [number, number];
      // Where it was planted more often, it is found more often, by a good part of the difference: the initiator is weak.
      const planted = (shares[0] as number) - (shares[1] as number);
      expect((a - b) / planted, motif.name).toBeGreaterThan(0.45);
      expect((a - b) / planted, motif.name).toBeLessThan(1.05);
    }
  });

  test("have motifs where the documentation says", () => {
    expect(promoterMotifs(64).map(({ motif, from, to }) => [motif.name, from, to - 1])).toEqual([
      ["GC box", 2, 64 - 44],
      ["TATA box", 64 - 34, 64 - 32],
      ["initiator", 64 - 12, 64 - 12],
    ]);
  });

  test("rows again: those of the class, each once before one comes twice", () => {
    const rows = { ...letters("AA", "CC", "GG", "TT"), labels: Uint8Array.of(0, 1, 0, 0) };
    const again = rowsAgain(rows, Uint8Array.of(0, 0, 0, 1, 1, 0), 3);
    expect([...again.labels]).toEqual([0, 0, 0, 1, 1, 0]);
    const numbers = Array.from({ length: 6 }, (_, i) => again.values[2 * i]);
    expect(numbers.slice(0, 3).sort()).toEqual([0, 2, 3]);
    expect(numbers.slice(3)).toEqual([1, 1, numbers[0]]);
  });

  test("lie inside, none over another, also where they are shortest", () => {
    for (const places of [48, 64, 1024]) {
      const motifs = promoterMotifs(places);
      const ends = motifs.map(({ motif, to }) => to - 1 + motif.length);
      motifs.forEach(({ from, to }, i) => {
        expect(to).toBeGreaterThan(from);
        expect(from).toBeGreaterThanOrEqual(i === 0 ? 0 : (ends[i - 1] as number));
      });
      expect(ends.at(-1)).toBeLessThanOrEqual(places);
    }
  });

  test("CG is rare in one class, and GC content by class", () => {
    const [tata, cpg] = [wordShares(ofClass(0), 2, 4), wordShares(ofClass(1), 2, 4)];
    const pair = (of: Float64Array) => (of[word("CG")] as number) / (of[word("GC")] as number);
    expect(pair(tata)).toBeLessThan(0.45);
    expect(pair(cpg)).toBeGreaterThan(0.8);
    const content = (of: Letters) => sum(contentOf(of, [1, 2])) / of.count;
    expect(content(ofClass(0))).toBeLessThan(0.43);
    expect(content(ofClass(1))).toBeGreaterThan(0.57);
  });

  test("a classifier tells the classes apart; labels that are wrong it does not", () => {
    const classify = classifierOf(drawn, 2, 4);
    const fresh = drawPromoters(500, 64, 9);
    expect(shareRecognised(classify, fresh)).toBeGreaterThan(0.9);
    const swapped = { ...fresh, labels: fresh.labels.map((label) => 1 - label) };
    expect(shareRecognised(classify, swapped)).toBeLessThan(0.1);
    const hand = { ...letters("AAAA", "CCCC"), labels: Uint8Array.of(1, 0) };
    expect([...classifierOf(hand, 2, 4)(letters("AAAC", "CCCA"))]).toEqual([1, 0]);
  });

  test("guides by the logarithm of the classifier's probability, of letters and of what stands in their place", () => {
    const known = naiveBayes(drawn, 2, 4);
    const fresh = drawPromoters(20, 64, 10);
    const scores = Array.from({ length: fresh.count }, (_, row) =>
      [0, 1].map((kind) => {
        const own = fresh.values.subarray(row * 64, (row + 1) * 64);
        const at = (values: readonly Float64Array[], i: number) => (values[kind] as Float64Array)[i] as number;
        const ofPlaces = own.reduce((all, letter, place) => all + at(known.places, 4 * place + letter), 0);
        const word = (end: number) =>
          16 * (own[end - 2] as number) + 4 * (own[end - 1] as number) + (own[end] as number);
        return ofPlaces + Array.from({ length: 62 }, (_, i) => at(known.words, word(i + 2))).reduce((a, b) => a + b);
      }),
    );
    const ask = (kind: number, values: number[]) => {
      const guide = openGuidance(classifierGuide(known, kind).forSamples([64, 4]).options, [64, 4]);
      return evaluate([guide.value(ops.table(values, [values.length / 256, 256]))])[0]?.data as Float64Array;
    };
    const hot = Array.from(fresh.values).flatMap((letter) => [0, 1, 2, 3].map((k) => (k === letter ? 1 : 0)));
    for (const kind of [0, 1]) {
      for (const [row, value] of ask(kind, hot).entries()) {
        const [own, other] = [scores[row]?.[kind] as number, scores[row]?.[1 - kind] as number];
        expect(value).toBeCloseTo(-Math.log1p(Math.exp(other - own)), 9);
      }
    }
    const even = Array(256).fill(0.25);
    const mean = (values: Float64Array, factor: number) => (factor * sum(values)) / values.length;
    const score = (kind: number) =>
      mean(known.words[kind] as Float64Array, 62) + mean(known.places[kind] as Float64Array, 64);
    expect(ask(1, even)[0]).toBeCloseTo(-Math.log1p(Math.exp(score(0) - score(1))), 9);
  });

  test("sequences drawn class by class stand where their labels do", async () => {
    const labels = Uint8Array.of(1, 0, 2, 1, 0, 1);
    const seen: number[] = [];
    const all = await byClass(labels, async (own, kind, done) => {
      expect([...own]).toEqual(Array(own.length).fill(kind));
      seen.push(done(1));
      return { values: Uint8Array.from(own, (_, i) => 10 * kind + i), count: own.length, places: 1, labels: own };
    });
    expect([...all.values]).toEqual([10, 0, 20, 11, 1, 12]);
    expect(all.labels).toBe(labels);
    expect(seen).toEqual([2 / 6, 5 / 6, 1]);
  });

  test("metrics: rows themselves are copies, letters by place lose words, fresh rows are as chance", () => {
    const data = {
      training: drawPromoters(1500, 64, 1),
      heldOut: drawPromoters(1500, 64, 2),
      classes: ["a", "b"],
      planted: promoterMotifs(64),
    };
    const labels = data.heldOut.labels;
    const of = (samples: Parameters<typeof metricsOfSamples>[0]) =>
      Object.fromEntries(
        metricsOfSamples(samples, data, classifierOf(data.training, 2, 4)).map(({ name, value }) => [name, value]),
      );
    const [rows, place, fresh] = [
      rowsAgain(data.training, labels, 3),
      lettersByPlace(data.training, labels, 4),
      drawPromoters(1500, 64, 7),
    ].map(of) as [Record<string, number>, Record<string, number>, Record<string, number>];
    expect(rows.copies).toBe(100);
    expect(rows.nearest).toBeLessThan(-20);
    expect(fresh.copies).toBe(0);
    expect(Math.abs(fresh.nearest as number)).toBeLessThan(1);
    expect(place.spectrum6).toBeGreaterThan(1.1 * (fresh.spectrum6 as number));
    expect(place.spectrum3).toBeGreaterThan(3 * (fresh.spectrum3 as number));
    expect(place.motifs).toBeGreaterThan(3 * (fresh.motifs as number));
    expect(place.places).toBeLessThan(0.005);
    expect(fresh.told).toBeGreaterThan(90);
    expect(fresh.motifLetters).toBeLessThan(0.01);
  });
});

describe("the toy", () => {
  const toy = drawShares({ classes: 2, places: 3, letters: 5 }, 3, 4);

  test("has shares that sum to 1, no further apart than the sharpness says", () => {
    for (let first = 0; first < toy.values.length; first += 5) {
      const own = toy.values.subarray(first, first + 5);
      expect(sum(own)).toBeCloseTo(1, 12);
      expect(Math.max(...own) / Math.min(...own)).toBeLessThan(Math.exp(3));
    }
    expect(drawShares({ classes: 2, places: 3, letters: 5 }, 3, 5).values).not.toEqual(toy.values);
  });

  test("draws letters of each class by its shares, on the device as on the host", () => {
    const { values, conditions } = sampleRows(toyData(toy), 40_000, 8);
    const kinds = conditions.kind as Uint32Array;
    for (const kind of [0, 1]) {
      const counts = new Float64Array(15);
      let count = 0;
      for (let row = 0; row < 40_000; row++) {
        if (kinds[row] !== kind) continue;
        count++;
        const own = values.subarray(15 * row, 15 * row + 15);
        for (let place = 0; place < 3; place++) expect(sum(own.subarray(5 * place, 5 * place + 5))).toBe(1);
        for (let i = 0; i < 15; i++) counts[i] = (counts[i] as number) + (own[i] as number);
      }
      const host = placeCounts(drawLetters(toy, kind, 20_000, 6), 5);
      sharesOfClass(toy, kind).forEach((share, i) => {
        expect(Math.abs((counts[i] as number) / count - share)).toBeLessThan(0.015);
        expect(Math.abs((host[i] as number) / 20_000 - share)).toBeLessThan(0.015);
      });
    }
  });
});

test("logos: bits by place, and letters as high as their shares of them", () => {
  const bits = bitsOf([1, 0, 0, 0, 0.25, 0.25, 0.25, 0.25, 0.5, 0.5, 0, 0], 4);
  for (const [i, known] of [2, 0, 1].entries()) expect(bits[i]).toBeCloseTo(known, 12);
  const html = logo([1, 0, 0, 0, 0.5, 0.5, 0, 0], "ACGT", 2, "of <all>");
  expect(html).toContain("of &#60;all&#62;");
  const scales = [...html.matchAll(/scale\([\d.]+ ([\d.]+)\)" style="[^"]+">(.)/g)].map(([, scale, letter]) => [
    letter,
    Number(scale),
  ]);
  expect(scales).toEqual([
    ["A", 9.333],
    ["A", 2.333],
    ["C", 2.333],
  ]);
});
