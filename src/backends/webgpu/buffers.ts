/** The device's buffers, counted; and those for reading back, which are kept for the next read. */
import { LimitError } from "../../errors.ts";
import { mapModeRead, usage } from "./flags.ts";
import type { Health } from "./health.ts";

export const BYTES_PER_ELEMENT = 4;

/** Buffers are whole quads of elements, as kernels may bind them. */
const BYTES_PER_QUAD = 16;

/** Read-back buffers are powers of two from this size on, in bytes. */
const SMALLEST_STAGING = 4096;

/** Larger ones are not kept: a checkpoint is read seldom, the ring of metrics often. */
const LARGEST_KEPT_STAGING = 1 << 22;

/** Bytes of the largest buffer that a kernel can be given whole. */
export function largestBuffer(
  limits: Pick<GPUSupportedLimits, "maxBufferSize" | "maxStorageBufferBindingSize">,
): number {
  return Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
}

export class Buffers {
  readonly #device: GPUDevice;
  readonly #health: Health;
  readonly #live = new Set<GPUBuffer>();
  readonly #idle: GPUBuffer[] = [];
  #bytes = 0;

  constructor(device: GPUDevice, health: Health) {
    this.#device = device;
    this.#health = health;
  }

  /**
   * A zeroed buffer of at least so many bytes. When memory runs out the backend fails at its next call.
   * @throws {@link LimitError} when it exceeds the device's largest buffer.
   */
  create(label: string, bytes: number, flags: GPUBufferUsageFlags): GPUBuffer {
    const most = largestBuffer(this.#device.limits);
    if (bytes > most) {
      throw new LimitError({
        subject: `"${label}" on the GPU`,
        given: bytes,
        expected: `at most ${most} bytes, this device's largest storage buffer`,
        remedy: "Use a smaller batch or network, or fewer rows of data.",
      });
    }
    const size = Math.max(Math.ceil(bytes / BYTES_PER_QUAD), 1) * BYTES_PER_QUAD;
    const buffer = this.#health.makeWithin(label, size, () => this.#device.createBuffer({ label, size, usage: flags }));
    this.#live.add(buffer);
    this.#bytes += size;
    return buffer;
  }

  destroy(buffer: GPUBuffer): void {
    if (!this.#live.delete(buffer)) return;
    this.#bytes -= buffer.size;
    buffer.destroy();
  }

  /** A copy of `bytes` of `source` from `offset` on, once the device has done what was submitted before. */
  async read(source: GPUBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    if (bytes === 0) return new ArrayBuffer(0);
    const staging = this.#takeStaging(bytes);
    try {
      const encoder = this.#device.createCommandEncoder({ label: `read ${source.label}` });
      encoder.copyBufferToBuffer(source, offset, staging, 0, bytes);
      this.#device.queue.submit([encoder.finish()]);
      await this.#health.whileAlive(staging.mapAsync(mapModeRead, 0, bytes));
      const copy = staging.getMappedRange(0, bytes).slice(0);
      staging.unmap();
      if (staging.size <= LARGEST_KEPT_STAGING && this.#live.has(staging)) this.#idle.push(staging);
      else this.destroy(staging);
      return copy;
    } catch (error) {
      this.destroy(staging);
      throw error;
    }
  }

  memory(): { buffers: number; bytes: number } {
    return { buffers: this.#live.size, bytes: this.#bytes };
  }

  dispose(): void {
    for (const buffer of [...this.#live]) this.destroy(buffer);
    this.#idle.length = 0;
  }

  #takeStaging(bytes: number): GPUBuffer {
    let size = SMALLEST_STAGING;
    while (size < bytes) size *= 2;
    const found = this.#idle.findIndex((buffer) => buffer.size === size);
    if (found >= 0) return this.#idle.splice(found, 1)[0] as GPUBuffer;
    // No more than a buffer may have: what is read is one, or part of one.
    return this.create(
      "read-back",
      Math.min(size, largestBuffer(this.#device.limits)),
      usage.mapRead | usage.copyTarget,
    );
  }
}
