/** Messages of a tab to its worker, heard in their order; work goes on in between, and what takes long is given up when one comes. */

export interface Life<Message> {
  hear(message: Message): Promise<void> | void;
  /** One piece of what there is to do; false when there is nothing. */
  work(): Promise<boolean>;
  /** Hears of what was thrown, but for work that was given up. */
  fail(message: string): void;
}

export class Inbox<Message extends { readonly kind: string }> {
  readonly #messages: Message[] = [];
  #wake = () => {};
  #patience = new AbortController();

  constructor() {
    addEventListener("message", ({ data }: MessageEvent<Message>) => {
      this.#messages.push(data);
      this.#patience.abort();
      this.#wake();
    });
  }

  /** Aborted once a message waits. */
  get signal(): AbortSignal {
    return this.#patience.signal;
  }

  /** Whether one of this kind waits. */
  has(kind: Message["kind"]): boolean {
    return this.#messages.some((message) => message.kind === kind);
  }

  async live({ hear, work, fail }: Life<Message>): Promise<never> {
    for (;;) {
      this.#patience = new AbortController();
      const message = this.#messages.shift();
      const { signal } = this;
      try {
        if (message) await hear(message);
        else if (await work()) await breath();
        else await this.#news();
      } catch (error) {
        if (!signal.aborted || error !== signal.reason) fail(messageOf(error));
      }
    }
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.#messages.length > 0) resolve();
    });
  }
}

/** Lets messages in. */
export const breath = (milliseconds = 0) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
