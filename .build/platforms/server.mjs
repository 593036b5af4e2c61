/** A server for pages on this machine, with the headers without which a page has no threads. */
import { createServer } from "node:http";
import { extname } from "node:path";

/** @type {Record<string, string>} */
const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
  ".png": "image/png",
  ".wasm": "application/wasm",
};

/** @type {Record<string, string>} */
const isolated = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** For files that pages of other origins import. */
export const shared = { "Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*" };

/**
 * Serves what `contents` gives for a path such as "/index.html" ("/" asks for that too); 404 where it gives undefined.
 * @param {(path: string, request: import("node:http").IncomingMessage) => Promise<string | Uint8Array | undefined>} contents
 * @param {object} [options]
 * @param {number} [options.port] - default: any free port.
 * @param {Record<string, string>} [options.headers] - of every answer; default: those that isolate pages.
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function serve(contents, { port = 0, headers = isolated } = {}) {
  const server = createServer(async (request, response) => {
    for (const [name, value] of Object.entries({ ...headers, "Cache-Control": "no-store" }))
      response.setHeader(name, value);
    const answer = (/** @type {number} */ status, /** @type {string} */ text) =>
      response.writeHead(status, { "Content-Type": "text/plain" }).end(text);
    try {
      const path = pathOf(request);
      if (path === undefined) return answer(400, "Bad request");
      const body = await contents(path, request);
      if (body === undefined) return answer(404, "Not found");
      response.writeHead(200, { "Content-Type": types[extname(path)] ?? "text/plain" }).end(body);
    } catch (error) {
      console.error(error); // here, not on the page: it may hold paths of this machine
      answer(500, "This server met an error, which its console has");
    }
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(undefined));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The path that is asked for, such as "/index.html"; undefined where the request names none. @param {import("node:http").IncomingMessage} request */
function pathOf({ url = "/" }) {
  if (!URL.canParse(url, "http://localhost")) return undefined;
  const { pathname } = new URL(url, "http://localhost");
  return pathname.endsWith("/") ? `${pathname}index.html` : pathname;
}
