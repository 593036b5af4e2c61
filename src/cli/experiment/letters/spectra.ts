/** What sets of sequences have in common: words, letters by place, GC content, and how near one is to another's rows. */

/** Sequences of one length as numbers of their letters, row-major [count, places]. */
export interface Letters {
  readonly values: Uint8Array;
  readonly count: number;
  readonly places: number;
}

/** How often each word of k letters stands anywhere, as shares of all words: [letters^k], the first letter counts most. */
export function wordShares({ values, count, places }: Letters, k: number, letters: number): Float64Array {
  const shares = new Float64Array(letters ** k);
  const words = count * (places - k + 1);
  for (let row = 0; row < count; row++) {
    let word = 0;
    for (let place = 0; place < places; place++) {
      word = (word * letters + (values[row * places + place] as number)) % shares.length;
      if (place >= k - 1) shares[word] = (shares[word] as number) + 1 / words;
    }
  }
  return shares;
}

/** Half the sum of differences: 0 for equal shares, 1 for those that have nothing in common. */
export function totalVariation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] as number) - (b[i] as number));
  return sum / 2;
}

/** How often each letter stands at each place: [places, letters], a row sums to the count. */
export function placeCounts({ values, count, places }: Letters, letters: number): Float64Array {
  const counts = new Float64Array(places * letters);
  for (let i = 0; i < count * places; i++) {
    const at = (i % places) * letters + (values[i] as number);
    counts[at] = (counts[at] as number) + 1;
  }
  return counts;
}

/**
 * KL(shares || counts) in nats, by place: [places]. Counts get half a letter more each, so that a letter that was never drawn does
 * not make it infinite. Where the counts are of n draws from the shares themselves it is about (letters - 1) / (2 n).
 */
export function divergenceByPlace(shares: ArrayLike<number>, counts: ArrayLike<number>, letters: number): Float64Array {
  return Float64Array.from({ length: shares.length / letters }, (_, place) => {
    let total = 0;
    for (let k = 0; k < letters; k++) total += (counts[place * letters + k] as number) + 0.5;
    let sum = 0;
    for (let k = 0; k < letters; k++) {
      const share = shares[place * letters + k] as number;
      if (share > 0) sum += share * Math.log((share * total) / ((counts[place * letters + k] as number) + 0.5));
    }
    return sum;
  });
}

/** Counts [places, letters] as shares of each place. */
export function sharesOf(counts: ArrayLike<number>, letters: number): Float64Array {
  return Float64Array.from(counts, (count, i) => {
    const first = i - (i % letters);
    let sum = 0;
    for (let k = first; k < first + letters; k++) sum += counts[k] as number;
    return count / sum;
  });
}

/** The share of these letters in each sequence: [count]. */
export function contentOf({ values, count, places }: Letters, counted: readonly number[]): Float64Array {
  const content = new Float64Array(count);
  for (let i = 0; i < values.length; i++) {
    const row = Math.floor(i / places);
    if (counted.includes(values[i] as number)) content[row] = (content[row] as number) + 1 / places;
  }
  return content;
}

/** The 1-Wasserstein distance of two lists of numbers, of any lengths: the integral of the difference of their distribution functions. */
export function distanceOfLists(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const [x, y] = [Float64Array.from(a).sort(), Float64Array.from(b).sort()];
  let [i, j, sum] = [0, 0, 0];
  let before = Math.min(x[0] as number, y[0] as number);
  while (i < x.length || j < y.length) {
    const next = Math.min(x[i] ?? Number.POSITIVE_INFINITY, y[j] ?? Number.POSITIVE_INFINITY);
    sum += Math.abs(i / x.length - j / y.length) * (next - before);
    while (x[i] === next) i++;
    while (y[j] === next) j++;
    before = next;
  }
  return sum;
}

/** In how many places each sequence differs from that of the rows which is nearest to it: [count]. */
export function nearestDistances(sequences: Letters, rows: Letters): Float64Array {
  const { places } = sequences;
  return Float64Array.from({ length: sequences.count }, (_, i) => {
    let nearest = places;
    for (let row = 0; row < rows.count && nearest > 0; row++) {
      let different = 0;
      for (let place = 0; place < places && different < nearest; place++) {
        if (sequences.values[i * places + place] !== rows.values[row * places + place]) different++;
      }
      nearest = Math.min(nearest, different);
    }
    return nearest;
  });
}

/** These rows of it, in this order. */
export function chosenRows({ values, places }: Letters, rows: ArrayLike<number>): Letters {
  const chosen = new Uint8Array(rows.length * places);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    chosen.set(values.subarray(row * places, (row + 1) * places), i * places);
  }
  return { values: chosen, count: rows.length, places };
}
