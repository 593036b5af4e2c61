/** The worker's side of keeping: what was stored comes back, and what there is now is stored, without training waiting for it. */
import type { Settings } from "../messages.ts";
import type { Past, Session } from "../train/session.ts";
import { VisitStore } from "./store.ts";
import { FORM, type View, type Visit, visitIn } from "./visit.ts";

export interface Revived {
  /** The visit's name, by which a tab that is reloaded knows its own; undefined where nothing can be kept. */
  readonly name: string | undefined;
  /** Whether it is what this very tab kept. */
  readonly isOwn: boolean;
  readonly visit: (Pick<Visit, "settings" | "view"> & { readonly before: Settings | undefined }) | undefined;
  /** What the visitor should know. */
  readonly fault?: string;
}

export class Keeper {
  #store: VisitStore | undefined;
  #name: string | undefined;
  /** Why nothing can be kept. */
  #trouble: unknown;
  #isTold = false;
  #writing: Promise<void> | undefined;
  /** What is stored of parts that seldom change. */
  #stored: { settings?: unknown; past?: Past | undefined } = {};
  readonly #told: (message: string) => void;
  readonly #keptSteps: (step: number) => void;

  /** @param told - a sentence for the visitor, of storage that is full or blocked. @param keptSteps - once models are stored. */
  constructor({ told, keptSteps }: { told: (message: string) => void; keptSteps: (step: number) => void }) {
    this.#told = told;
    this.#keptSteps = keptSteps;
  }

  /** @param own - the name that this tab had before it was reloaded. */
  async revive(own: string | undefined): Promise<{ visit: Visit | undefined; revived: Revived }> {
    const nothing = { isOwn: false, visit: undefined };
    try {
      const store = await VisitStore.open();
      const name = await store.claim(own);
      this.#store = store;
      this.#name = name;
      store.sweep(name).catch(() => {}); // next time
      const parts = await store.read(name);
      try {
        const visit = visitIn(parts);
        const told = visit && { settings: visit.settings, view: visit.view, before: visit.before?.settings };
        return { visit, revived: { name, isOwn: name === own, visit: told } };
      } catch (error) {
        const fault = `${(error as Error).message} The page begins anew.`;
        return { visit: undefined, revived: { ...nothing, name, fault } };
      }
    } catch (trouble) {
      this.#trouble = trouble;
      return { visit: undefined, revived: { ...nothing, name: undefined } }; // said once there is something to lose
    }
  }

  /** What was stored last, where models cannot be had any more. */
  async last(): Promise<Visit | undefined> {
    await this.#writing;
    return this.#store && this.#name ? visitIn(await this.#store.read(this.#name)) : undefined;
  }

  /** Takes both models as they are and stores them with what the page shows; a write that is under way is waited for. */
  async keep(session: Session, past: Past | undefined, view: View): Promise<void> {
    const { isOwn, settings } = session;
    if (!this.#store || !this.#name) {
      if (isOwn) this.#tell(this.#trouble);
      return;
    }
    await this.#writing;
    const models = isOwn ? await session.past().catch(() => undefined) : undefined;
    if (isOwn && !models) return; // of a device that is gone: what was stored is better
    const now = { models: models && { entrants: models.entrants, unpinned: models.unpinned }, view };
    const isSame = this.#stored.settings === settings && this.#stored.past === past;
    const seldom = {
      settings: { form: FORM, now: settings, before: past?.settings },
      before: past && { entrants: past.entrants, unpinned: past.unpinned },
    };
    const step = Math.max(session.stepOf("left"), session.stepOf("right"));
    this.#writing = this.#store.write(this.#name, { now, at: Date.now(), ...(isSame ? {} : seldom) }).then(
      () => {
        this.#stored = { settings, past };
        this.#isTold = false;
        this.#keptSteps(step);
      },
      (error: unknown) => {
        this.#stored = {};
        if (isOwn) this.#tell(error); // else there is nothing to lose yet
      },
    );
  }

  #tell(trouble: unknown): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const isFull = (trouble as { name?: unknown } | undefined)?.name === "QuotaExceededError";
    const why = isFull
      ? "This device has no room left to keep the training"
      : "This browser keeps nothing of this page";
    this.#told(`${why}: it goes on, but after a reload it would not. “Models (safetensors)” below saves it.`);
  }
}
