/**
 * What went wrong on the device. WebGPU tells errors late and beside the call that made them: they are kept here, and
 * every later call of the backend throws the first.
 */
import { DeviceLostError, DisposedError, type DivflowError, OutOfMemoryError, UnsupportedError } from "../../errors.ts";

export class Health {
  /** Resolves with the reason when the device is lost, but not when `dispose` was why. */
  readonly lost: Promise<string>;
  readonly #device: GPUDevice;
  readonly #scopes = new Set<Promise<unknown>>();
  #failure: DivflowError | undefined;
  #disposed = false;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.lost = new Promise((resolve) => {
      device.lost.then(({ reason, message }) => {
        if (this.#disposed) return;
        const given = message || reason || "no reason";
        // Whatever failed before, the loss decides what can be done: start again on another device.
        this.#failure = new DeviceLostError({
          subject: "the WebGPU device",
          given,
          expected: "a device that stays",
          remedy: "Make another runtime and resume from the last checkpoint.",
        });
        resolve(given);
      });
    });
    device.addEventListener("uncapturederror", this.#uncaptured);
  }

  /** Throws what is known to have failed. */
  check(): void {
    if (this.#disposed) {
      throw new DisposedError({
        subject: "WebGPU backend",
        given: "use after dispose",
        expected: "a live backend",
        remedy: "Make another one.",
      });
    }
    if (this.#failure) throw this.#failure;
  }

  /** Throws what has failed, once the device has answered for all `makeWithin` calls. */
  async settled(): Promise<void> {
    await Promise.all(this.#scopes);
    this.check();
  }

  /** Waits for `work`, unless the device is lost first. */
  async whileAlive<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await Promise.race([work, this.lost.then((): never => this.#throwFailure())]);
    } catch (error) {
      this.check(); // says why, where the error is only what came of it
      throw error;
    }
  }

  /** Calls `make`; should memory not suffice for it, the backend fails with an OutOfMemoryError. */
  makeWithin<Made>(label: string, bytes: number, make: () => Made): Made {
    this.#device.pushErrorScope("out-of-memory");
    try {
      return make();
    } finally {
      const scope = this.#device.popErrorScope().then(
        (error) => {
          if (error) this.#failure ??= outOfMemory(label, bytes, error.message);
        },
        () => {}, // the device is lost, which `lost` tells
      );
      this.#scopes.add(scope);
      scope.then(() => this.#scopes.delete(scope));
    }
  }

  dispose(): void {
    this.#disposed = true;
    this.#device.removeEventListener("uncapturederror", this.#uncaptured);
  }

  #throwFailure(): never {
    throw this.#failure;
  }

  readonly #uncaptured = (event: Event): void => {
    const { error } = event as GPUUncapturedErrorEvent;
    this.#failure ??= new UnsupportedError({
      subject: "the WebGPU device",
      given: error.message,
      expected: "a device that takes what its limits allow",
      remedy: "Report this with the device's name.",
    });
  };
}

export function outOfMemory(label: string, bytes: number, message: string): OutOfMemoryError {
  return new OutOfMemoryError({
    subject: `"${label}" on the GPU`,
    given: `${bytes} bytes (${message || "refused"})`,
    expected: "as much memory as the device has left",
    remedy: "Use a smaller batch or network, or free other GPU work.",
  });
}
