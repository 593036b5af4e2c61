/**
 * Visits in IndexedDB, one for each tab: a record is written whole or not at all, whenever the tab ends. Which visit is whose, Web
 * Locks say: a tab holds its own one's lock as long as it lives, so no two write to the same.
 */
import { type Parts, partNames } from "./visit.ts";

/** Visits that are kept beside those of open tabs. */
const MOST_VISITS = 4;
/** What a browser has to open its storage; it may never answer. */
const OPEN_MILLISECONDS = 3000;
/** A tab that is reloaded waits so long for what it itself held, a new one for what a tab held that was just closed. */
const OWN_MILLISECONDS = 1500;
const CLOSED_MILLISECONDS = 250;
const STORE = "visits";

/** Pages below other paths of the same host keep their own. */
const nameHere = () => `divflow ${new URL(".", location.href).pathname}`;

export class VisitStore {
  readonly #database: IDBDatabase;
  readonly #name: string;

  private constructor(database: IDBDatabase, name: string) {
    this.#database = database;
    this.#name = name;
    database.onversionchange = () => database.close(); // a newer page wants it
  }

  /** @throws what the browser says where it lets pages store nothing. */
  static async open(name = nameHere()): Promise<VisitStore> {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    const late = new Promise<never>((_, reject) =>
      setTimeout(() => reject(new Error("The browser's storage does not answer.")), OPEN_MILLISECONDS),
    );
    return new VisitStore(await Promise.race([done(request), late]), name);
  }

  /**
   * A visit's name that no other tab has: this tab's own from before a reload, or the newest that is free, or a new one. It is this
   * tab's until it ends.
   *
   * @param own - what this tab had before it was reloaded.
   */
  async claim(own: string | undefined): Promise<string> {
    const fresh = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
    const locks = navigator.locks as LockManager | undefined; // there on secure addresses alone
    if (!locks) return own ?? fresh;
    if (own !== undefined && (await this.#hold(own, AbortSignal.timeout(OWN_MILLISECONDS)))) return own;
    const names = await this.#names();
    for (const [i, name] of names.entries()) {
      if (await this.#hold(name, i === 0 ? AbortSignal.timeout(CLOSED_MILLISECONDS) : undefined)) return name;
    }
    await this.#hold(fresh);
    return fresh;
  }

  /** Parts of a visit by name; those never written are undefined. */
  async read(visit: string): Promise<Partial<Record<keyof Parts, unknown>>> {
    const store = this.#database.transaction(STORE, "readonly").objectStore(STORE);
    const values = await Promise.all(partNames.map((part) => done(store.get([visit, part]))));
    return Object.fromEntries(partNames.map((part, i) => [part, values[i]]));
  }

  /** All of these parts or none. @throws QuotaExceededError where there is no room. */
  async write(visit: string, parts: Partial<Parts>): Promise<void> {
    await this.#change((store) => {
      for (const [part, value] of Object.entries(parts)) store.put(value, [visit, part]);
    });
  }

  /** Drops the oldest visits that no tab has. */
  async sweep(own: string): Promise<void> {
    const old = (await this.#names()).filter((name) => name !== own).slice(MOST_VISITS - 1);
    for (const name of old) {
      await navigator.locks?.request(`${this.#name} ${name}`, { ifAvailable: true }, async (lock) => {
        if (!lock) return;
        await this.#change((store) => {
          for (const part of partNames) store.delete([name, part]);
        });
      });
    }
  }

  /** Newest first. */
  async #names(): Promise<string[]> {
    const store = this.#database.transaction(STORE, "readonly").objectStore(STORE);
    const keys = (await done(store.getAllKeys())) as [visit: string, part: string][];
    const visits = keys.filter(([, part]) => part === "at").map(([visit]) => visit);
    const times = await Promise.all(visits.map((visit) => done(store.get([visit, "at"])) as Promise<number>));
    return visits
      .map((visit, i) => ({ visit, at: times[i] as number }))
      .sort((a, b) => b.at - a.at)
      .map(({ visit }) => visit);
  }

  /** Whether its lock could be had, at once or until the signal; it is then held for good. */
  #hold(visit: string, signal?: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const options = signal ? { signal } : { ifAvailable: true };
      navigator.locks
        .request(`${this.#name} ${visit}`, options, (lock) => {
          resolve(lock !== null);
          return lock ? new Promise<never>(() => {}) : undefined;
        })
        .catch(() => resolve(false)); // waited long enough
    });
  }

  #change(change: (store: IDBObjectStore) => void): Promise<void> {
    const transaction = this.#database.transaction(STORE, "readwrite");
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("The browser gave up storing."));
      change(transaction.objectStore(STORE));
    });
  }
}

function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
