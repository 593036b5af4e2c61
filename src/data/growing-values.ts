import { LimitError } from "../errors.ts";

/** f64 values whose number is not known before: kept in blocks, so that growing copies nothing. */
export class GrowingValues {
  private readonly full: Float64Array[] = [];
  private block = new Float64Array(1024);
  private used = 0;

  /** Where to write the next `count` values, side by side. */
  room(count: number): { readonly block: Float64Array; readonly from: number } {
    if (this.used + count > this.block.length) {
      this.full.push(this.block.subarray(0, this.used));
      this.block = new Float64Array(Math.max(count, Math.min(2 * this.block.length, LARGEST_BLOCK)));
      this.used = 0;
    }
    const from = this.used;
    this.used += count;
    return { block: this.block, from };
  }

  /** All of them in one array. */
  joined(source: string): Float64Array {
    const blocks = [...this.full, this.block.subarray(0, this.used)];
    const length = blocks.reduce((sum, block) => sum + block.length, 0);
    const values = roomFor(source, Float64Array, length);
    let at = 0;
    for (const block of blocks) {
      values.set(block, at);
      at += block.length;
    }
    return values;
  }
}

const LARGEST_BLOCK = 1 << 20;

/**
 * An array of `length` zeros.
 *
 * @throws {@link LimitError} when there is no memory for as many.
 */
export function roomFor<Values>(source: string, kind: new (length: number) => Values, length: number): Values {
  try {
    return new kind(length);
  } catch (cause) {
    const facts = {
      subject: source,
      given: `${length} numbers`,
      expected: "as many as memory has room for in one array",
      remedy: "Give fewer rows or columns.",
    };
    throw new LimitError(facts, { cause });
  }
}
