/** Assertions for checks: each says what was found and what was expected. */

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** The same value, by Object.is; arrays entry by entry. */
export function assertEqual(actual: unknown, expected: unknown, subject: string): void {
  if (isList(actual) && isList(expected)) {
    assert(actual.length === expected.length, `${subject}: ${actual.length} entries, expected ${expected.length}.`);
    for (let i = 0; i < expected.length; i++) assertEqual(actual[i], expected[i], `${subject}[${i}]`);
  } else assert(Object.is(actual, expected), `${subject}: got ${show(actual)}, expected ${show(expected)}.`);
}

/**
 * Every entry within `tolerance` of the expected one, relative to the largest magnitude expected. A wrong length, NaN
 * or an infinity that is not expected fails.
 */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  subject: string,
): void {
  assert(actual.length === expected.length, `${subject}: ${actual.length} entries, expected ${expected.length}.`);
  const scale = largestMagnitude(expected);
  let worst = -1;
  let worstError = 0;
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] === expected[i]) continue;
    const error = Math.abs(actual[i] - expected[i]) / (scale || 1);
    if (!(error <= tolerance) && (worst < 0 || !(error <= worstError))) {
      worst = i;
      worstError = error;
    }
  }
  if (worst < 0) return;
  throw new Error(
    `${subject}[${worst}]: got ${actual[worst]}, expected ${expected[worst]} within ${tolerance} of ${scale}; ` +
      `the relative error is ${worstError.toExponential(2)}.`,
  );
}

/** The error that `work` throws or rejects with; fails when there is none or it is not of this class. */
export async function assertRejects<E extends Error>(
  work: () => unknown,
  expected: abstract new (...given: never[]) => E,
  subject: string,
): Promise<E> {
  try {
    await work();
  } catch (error) {
    if (error instanceof expected) return error;
    throw new Error(`${subject}: got ${show(error)}, expected ${expected.name}.`, { cause: error });
  }
  throw new Error(`${subject}: nothing was thrown, expected ${expected.name}.`);
}

function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]);
    if (Number.isFinite(magnitude) && magnitude > largest) largest = magnitude;
  }
  return largest;
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
