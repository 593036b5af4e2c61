/** Where measured choices of kernels are kept between runtimes: texts by key. */

/** What {@link RuntimeOptions.tune} takes; a `Map` is one, for as long as it lives. */
export interface TuningStore {
  /** The text kept under a key, if any. May be a promise. */
  get(key: string): string | undefined | Promise<string | undefined>;
  /** Keeps a text. May give a promise, which is waited for. */
  set(key: string, value: string): unknown;
}

/** What is used of Node's file system, which Deno has too. The core imports no module of any platform. */
interface FileSystem {
  readFile(path: string, encoding: "utf8"): Promise<string>;
  mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  writeFile(path: string, text: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
}

interface Process {
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  getBuiltinModule?(name: string): FileSystem | undefined;
}

interface Permissions {
  query(of: { readonly name: "env" | "read" | "write" }): Promise<{ readonly state: string }>;
}

/**
 * The platform's: IndexedDB on pages and in their workers; in Node, and in Deno where it may read, write and see the
 * environment unasked, a file in the user's folder for caches.
 *
 * @throws Error where there is none, saying why.
 */
export async function platformStore(): Promise<TuningStore> {
  const { indexedDB, process, Deno } = globalThis as {
    indexedDB?: IDBFactory;
    process?: Process;
    Deno?: { readonly permissions: Permissions };
  };
  if (indexedDB) {
    const store = databaseStore(indexedDB);
    await store.get(""); // pages of no origin have an IndexedDB that refuses
    return store;
  }
  const files = process?.getBuiltinModule?.("node:fs/promises");
  if (!files) throw new Error("no IndexedDB");
  if (Deno && !(await mayKeep(Deno.permissions))) throw new Error("Deno may not read, write and see the environment");
  const folder = cacheFolder(process as Process);
  if (folder === undefined) throw new Error("no folder for caches");
  return fileStore(files, `${folder}/divflow`);
}

/** Deno would ask its user, in the middle of a run. */
async function mayKeep(permissions: Permissions): Promise<boolean> {
  const states = await Promise.all((["env", "read", "write"] as const).map((name) => permissions.query({ name })));
  return states.every(({ state }) => state === "granted");
}

/** The user's folder for what can be made again, by the platform's custom. */
export function cacheFolder({ platform, env }: Pick<Process, "platform" | "env">): string | undefined {
  if (platform === "win32") return env["LOCALAPPDATA"];
  const home = env["HOME"];
  if (platform === "darwin") return home && `${home}/Library/Caches`;
  return env["XDG_CACHE_HOME"] || (home && `${home}/.cache`);
}

/** All texts in one file, written whole. Of two processes that write at once, the later one's stays. */
export function fileStore(files: FileSystem, folder: string): TuningStore {
  const path = `${folder}/tuning.json`;
  const all = async (): Promise<Record<string, string>> => {
    try {
      return JSON.parse(await files.readFile(path, "utf8"));
    } catch {
      return {}; // not there yet, or damaged: it is made anew
    }
  };
  return {
    get: async (key) => (await all())[key],
    async set(key, value) {
      const text = JSON.stringify({ ...(await all()), [key]: value });
      await files.mkdir(folder, { recursive: true });
      const temporary = `${path}.${crypto.randomUUID()}.tmp`;
      await files.writeFile(temporary, text);
      await files.rename(temporary, path);
    },
  };
}

/** A table of a database of this origin. */
function databaseStore(indexedDB: IDBFactory): TuningStore {
  const table = "tuning";
  const done = <Value>(request: IDBRequest<Value>) =>
    new Promise<Value>((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const ask = async <Value>(mode: IDBTransactionMode, work: (of: IDBObjectStore) => IDBRequest<Value>) => {
    const opening = indexedDB.open("divflow", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(table);
    const database = await done(opening);
    try {
      return await done(work(database.transaction(table, mode).objectStore(table)));
    } finally {
      database.close();
    }
  };
  return {
    get: (key) => ask<string | undefined>("readonly", (texts) => texts.get(key)),
    set: (key, value) => ask("readwrite", (texts) => texts.put(value, key)),
  };
}
