/**
 * What went wrong on the device. WebGPU tells errors late and beside the call that made them: they are kept here, and
 * every later call of the backend throws the first.
 */
import { DeviceLostError, DisposedError, DivflowError, OutOfMemoryError, UnsupportedError } from "../../errors.ts";
import { Failure } from "../../failure.ts";
import { inTime } from "../in-time.ts";
import { mapModeRead, usage } from "./flags.ts";

/** Milliseconds in which a device answers that is there, on a machine with much else to do. */
const PATIENCE = 30_000;

/** Whom a device tells of its loss. */
interface Listener {
  tell: ((info: GPUDeviceLostInfo) => void) | undefined;
}

/** A device that was handed in outlives its backends: it holds the listener, but not whoever listens no more. */
function listen(device: GPUDevice, listener: Listener): void {
  device.lost.then((info) => listener.tell?.(info));
}

export class Health {
  /** Resolves with the reason when the device is lost, but not when `dispose` was why. */
  readonly lost: Promise<string>;
  readonly #device: GPUDevice;
  readonly #scopes = new Set<Promise<unknown>>();
  readonly #loss = new Failure();
  readonly #listener: Listener = { tell: undefined };
  #failure: DivflowError | undefined;
  #disposed = false;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.lost = new Promise((resolve) => {
      this.#listener.tell = ({ reason, message }) => {
        const given = message || reason || "no reason";
        // Whatever failed before, the loss decides what can be done: start again on another device.
        this.#failure = lost(given);
        this.#loss.fail(this.#failure);
        resolve(given);
      };
    });
    listen(device, this.#listener);
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

  /**
   * Waits for `work`, unless the device is lost first. What the platform says of it otherwise, such as an AbortError,
   * comes of a loss too, before its news: the caller's own abort it is not.
   */
  async whileAlive<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await this.#loss.race(work);
    } catch (error) {
      this.check(); // says why, where the error is only what came of it
      throw error instanceof DivflowError ? error : lost(String(error), error);
    }
  }

  /** Whether the device can still map a buffer. */
  async answers(): Promise<boolean> {
    const asked = async () => {
      const buffer = this.#device.createBuffer({ size: 16, usage: usage.mapRead | usage.copyTarget });
      await buffer.mapAsync(mapModeRead);
      buffer.destroy();
      return true;
    };
    const answer = this.#loss.race(asked()).catch(() => false);
    return (await inTime(performance.now() + PATIENCE, answer)) ?? false;
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
    this.#listener.tell = undefined;
    this.#device.removeEventListener("uncapturederror", this.#uncaptured);
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

function lost(given: string, cause?: unknown): DeviceLostError {
  return new DeviceLostError(
    {
      subject: "the WebGPU device",
      given,
      expected: "a device that stays",
      remedy: "Make another runtime and resume from the last checkpoint.",
    },
    { cause },
  );
}

export function outOfMemory(label: string, bytes: number, message: string): OutOfMemoryError {
  return new OutOfMemoryError({
    subject: `"${label}" on the GPU`,
    given: `${bytes} bytes (${message || "refused"})`,
    expected: "as much memory as the device has left",
    remedy: "Use a smaller batch or network, or free other GPU work.",
  });
}
