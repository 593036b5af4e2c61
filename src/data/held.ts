/** What an array holds. */
import { LimitError } from "../errors.ts";

/**
 * Numbers that an array may have: what engines allow differs (2^32 bytes in some, 2^33 numbers in others), and more than
 * these 16 GiB of f64 is a mistake in a number.
 */
const MOST_NUMBERS = 2 ** 31 - 1;

/** @throws {@link LimitError} when an array cannot hold as many numbers. */
export function expectHeld(subject: string, ...sizes: readonly number[]): void {
  const numbers = sizes.reduce((product, size) => product * size, 1);
  if (numbers <= MOST_NUMBERS) return;
  const largest = Math.max(...sizes);
  throw new LimitError({
    subject,
    given: `${sizes.join(" x ")} numbers`,
    expected: `at most ${MOST_NUMBERS}, which one array holds: ${Math.floor((MOST_NUMBERS * largest) / numbers)} in place of ${largest}`,
    remedy: "Ask for fewer at once, and for the others with another seed.",
  });
}
