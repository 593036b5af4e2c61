/**
 * The backend's one WebAssembly.Memory and the allocator over it: first fit in a list of free ranges, which grows the
 * memory when nothing fits. Growing detaches all views, so views are made for each use.
 */
import { OutOfMemoryError } from "../../errors.ts";

/** Ranges begin at multiples of this many bytes, as a plan's allocations do, and end at one. */
const ALIGNMENT = 256;

const PAGE_BYTES = 65536;
/** The first page stays unused: the module's own data may lie there, and address 0 is no place for values. */
const FIRST_ADDRESS = PAGE_BYTES;
/** The memory grows by at least this many pages (1 MiB): small states do not grow it one by one. */
const GROWTH_PAGES = 16;
/** All that 32-bit addresses reach, less one page: the end of the memory is an address too. */
export const MAX_BYTES = 65535 * PAGE_BYTES;

/** As the modules' imports say. */
const MAX_PAGES = 65536;
const FIRST_PAGES = 1 + GROWTH_PAGES;
/** 256 MiB: a shared memory of less is not worth having. */
const LEAST_MAX_PAGES = 4096;

function sharedMemory(maximum: number): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: FIRST_PAGES, maximum, shared: true });
  } catch (error) {
    if (maximum / 2 < LEAST_MAX_PAGES) throw error;
    return sharedMemory(maximum / 2);
  }
}

export interface Allocation {
  /** In bytes; a multiple of 256. */
  readonly address: number;
  readonly bytes: number;
}

interface Range {
  address: number;
  bytes: number;
}

export class WasmMemory {
  readonly memory: WebAssembly.Memory;
  /** Free ranges by address, never touching each other. */
  readonly #free: Range[] = [];

  /**
   * @param shared - by threads. All that it may ever have is then reserved (not taken) from the start: of a platform
   * that does not give so many addresses it takes less.
   */
  constructor(shared = false) {
    this.memory = shared
      ? sharedMemory(MAX_PAGES)
      : new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MAX_PAGES });
    this.#free.push({ address: FIRST_ADDRESS, bytes: this.#size() - FIRST_ADDRESS });
  }

  /**
   * A zeroed range of at least `bytes`.
   *
   * @param subject - what it is for, said in the error.
   * @throws {@link OutOfMemoryError} when the memory cannot grow enough.
   */
  allocate(subject: string, bytes: number): Allocation {
    const length = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    const range = this.#free.find((free) => free.bytes >= length) ?? this.#grow(subject, length);
    const allocation = { address: range.address, bytes: length };
    range.address += length;
    range.bytes -= length;
    if (range.bytes === 0) this.#free.splice(this.#free.indexOf(range), 1);
    new Uint8Array(this.memory.buffer, allocation.address, length).fill(0);
    return allocation;
  }

  /** Gives a range back. Each may be given back once. */
  release({ address, bytes }: Allocation): void {
    const after = this.#free.findIndex((free) => free.address > address);
    const index = after < 0 ? this.#free.length : after;
    this.#free.splice(index, 0, { address, bytes });
    this.#joinWithNext(index);
    if (index > 0) this.#joinWithNext(index - 1);
  }

  floats(address: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.memory.buffer, address, length);
  }

  words(address: number, length: number): Uint32Array<ArrayBuffer> {
    return new Uint32Array(this.memory.buffer, address, length);
  }

  /** Bytes that may be given out. Kernels read whole vectors: the last bytes stay free, so that those past an end exist. */
  #size(): number {
    return this.memory.buffer.byteLength - ALIGNMENT;
  }

  #joinWithNext(index: number): void {
    const range = this.#free[index] as Range;
    const next = this.#free[index + 1];
    if (!next || range.address + range.bytes !== next.address) return;
    range.bytes += next.bytes;
    this.#free.splice(index + 1, 1);
  }

  /** The last free range, made at least `bytes` long. */
  #grow(subject: string, bytes: number): Range {
    const end = this.#size();
    const last = this.#free.at(-1);
    const present = last && last.address + last.bytes === end ? last.bytes : 0;
    const pages = Math.max(GROWTH_PAGES, Math.ceil((bytes - present) / PAGE_BYTES));
    try {
      if (end + pages * PAGE_BYTES > MAX_BYTES) throw new RangeError("beyond what 32-bit addresses reach");
      this.memory.grow(pages);
    } catch (cause) {
      throw new OutOfMemoryError(
        {
          subject,
          given: bytes,
          expected: `bytes that WebAssembly memory has room for (it holds ${end} now, and may reach ${MAX_BYTES})`,
          remedy: "Use a smaller batch, network or data set, or dispose what is no longer needed.",
        },
        { cause },
      );
    }
    this.release({ address: end, bytes: pages * PAGE_BYTES });
    return this.#free.at(-1) as Range;
  }
}
