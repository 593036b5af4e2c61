/** Sequence logos: at each place the letters, as high as their share of what the place tells, in bits. */
import { escapeHtml } from "./html.ts";

/** Classes' variables of the style sheet; letters tell apart what colours do not. */
const COLOURS = ["--more", "--cfm", "--ochre", "--fdm"] as const;

/** Places side by side; more go on below. */
const MOST_PLACES = 64;

const [WIDTH, HEIGHT, ROOM] = [640, 70, 20];

/** Of the style sheet's font: how wide a letter is, and how high a capital with what round ones go beyond, at size 10. */
const [GLYPH_WIDTH, GLYPH_HEIGHT] = [6, 7.5];

/** Bits that each place tells: log2 of the letters' number less the entropy of their shares. */
export function bitsOf(shares: ArrayLike<number>, letters: number): Float64Array {
  return Float64Array.from({ length: shares.length / letters }, (_, place) => {
    let bits = Math.log2(letters);
    for (let k = 0; k < letters; k++) {
      const share = shares[place * letters + k] as number;
      if (share > 0) bits += share * Math.log2(share);
    }
    return bits;
  });
}

/**
 * @param shares - of each letter at each place: row-major [places, letters].
 * @param most - bits that the whole height stands for.
 * @param name - what a screen reader calls it.
 */
export function logo(shares: ArrayLike<number>, alphabet: string, most: number, name: string): string {
  const letters = alphabet.length;
  const bits = bitsOf(shares, letters);
  const across = Math.min(MOST_PLACES, bits.length);
  const lines = Math.ceil(bits.length / across);
  const step = WIDTH / Math.max(across, 12); // of a short motif letters are not wider than of a long one by much
  const drawn = Array.from(bits, (information, place) => {
    const line = Math.floor(place / across);
    const x = (place % across) * step;
    const order = Array.from({ length: letters }, (_, k) => k).sort(
      (a, b) => (shares[place * letters + a] as number) - (shares[place * letters + b] as number),
    );
    let bottom = line * (HEIGHT + ROOM) + HEIGHT;
    return order
      .map((k) => {
        const height = HEIGHT * Math.min(information / most, 1) * (shares[place * letters + k] as number);
        if (height < 0.4) return "";
        const at = `translate(${x.toFixed(2)} ${bottom.toFixed(2)}) scale(${((0.96 * step) / GLYPH_WIDTH).toFixed(3)} ${(height / GLYPH_HEIGHT).toFixed(3)})`;
        bottom -= height;
        return `<text transform="${at}" style="fill:var(${COLOURS[k % COLOURS.length]})">${escapeHtml(alphabet[k] as string)}</text>`;
      })
      .join("");
  });
  const marks = Array.from({ length: lines }, (_, line) => {
    const base = line * (HEIGHT + ROOM) + HEIGHT;
    const numbers = Array.from({ length: across }, (_, i) => i).flatMap((i) => {
      const place = line * across + i;
      if (place >= bits.length || (i > 0 && (place + 1) % 10 !== 0)) return [];
      const middle = i === 0 ? 0 : (i + 0.5) * step;
      return [
        `<text x="${middle.toFixed(1)}" y="${base + 16}"${i === 0 ? "" : ' text-anchor="middle"'} class="place">${place + 1}</text>`,
      ];
    });
    return `<line x1="0" x2="${(step * Math.min(across, bits.length)).toFixed(1)}" y1="${base}" y2="${base}" class="grid"/>${numbers.join("")}`;
  });
  return (
    `<svg viewBox="0 0 ${WIDTH} ${lines * (HEIGHT + ROOM)}" role="img" aria-label="${escapeHtml(name)}" class="logo">` +
    `${drawn.join("")}${marks.join("")}</svg>`
  );
}
