/**
 * Keeps the whole page on the device: it opens without a network, and from then on with the headers that isolate it, without
 * which it has no threads and which many hosts cannot set. A new version waits until the page says that it may take over.
 */
declare const self: ServiceWorkerGlobalScope;
/** Put in by the build: what it made, relative to this file, and a digest of it all. */
declare const FILES: readonly string[];
/** Kept once they were wanted. */
declare const LATER: readonly string[];
declare const VERSION: string;

/** The parts of a service worker that are used; the compiler's library of them excludes that of pages. */
interface ServiceWorkerGlobalScope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  readonly location: Location;
  skipWaiting(): Promise<void>;
  addEventListener(kind: "install" | "activate", hear: (event: Waiting) => void): void;
  addEventListener(kind: "message", hear: (event: MessageEvent<unknown>) => void): void;
  addEventListener(kind: "fetch", hear: (event: Asked) => void): void;
}
interface Waiting {
  waitUntil(work: Promise<unknown>): void;
}
interface Asked {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const PREFIX = `divflow ${self.registration.scope} `;
const cacheName = PREFIX + VERSION;

const isolating = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));
self.addEventListener("message", ({ data }) => {
  if (data === "take over") void self.skipWaiting();
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  // Of this page and no other: a host may have several below one origin.
  if (request.method === "GET" && request.url.startsWith(self.registration.scope)) event.respondWith(answer(request));
});

/** All or nothing: a version of which a file is missing is not installed. */
async function keepAll(): Promise<void> {
  const cache = await caches.open(cacheName);
  await cache.addAll(FILES.map((file) => new Request(new URL(file, self.location.href), { cache: "reload" })));
}

async function takeOver(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== cacheName);
  await Promise.all(others.map((name) => caches.delete(name)));
  await self.clients.claim(); // a first visit need not be repeated to be kept
}

async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  const page = new URL("index.html", self.registration.scope).href;
  const isPage =
    request.mode === "navigate" && new URL(request.url).pathname === new URL(self.registration.scope).pathname;
  const kept = await cache.match(isPage ? page : request, { ignoreSearch: true });
  const given = kept ?? (await fetch(request));
  const isLater = () => LATER.some((file) => new URL(file, self.location.href).href === request.url);
  if (!kept && given.ok && isLater()) await cache.put(request, given.clone());
  const { status, statusText, headers, body } = given;
  // What a redirect or another origin gave may not be read, and is passed on as it is.
  if (status === 0) return fetch(request);
  const all = new Headers(headers);
  for (const [name, value] of Object.entries(isolating)) all.set(name, value);
  return new Response(body, { status, statusText, headers: all });
}

export {};
