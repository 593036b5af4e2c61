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
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.setHeader("Cache-Control", "no-store");
    try {
      const body = await contents(path, request);
      response.setHeader("Content-Type", body === undefined ? "text/plain" : (types[extname(path)] ?? "text/plain"));
      response.writeHead(body === undefined ? 404 : 200).end(body ?? "Not found");
    } catch (error) {
      response.writeHead(500, { "Content-Type": "text/plain; charset=utf-8" });
      response.end(error instanceof Error ? error.message : String(error));
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
