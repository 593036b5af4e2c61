// The demo's server: whatever it is asked for, it answers without a path of this machine, and goes on.
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveDemo } from "../../.build/demo.mjs";
import { root } from "../../.build/files.mjs";

let server: Awaited<ReturnType<typeof serveDemo>>;
beforeAll(async () => {
  server = await serveDemo();
});
afterAll(() => server.close());

/** What comes back for bytes sent as they are, until the server closes or has said it all. */
function answerTo(request: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(Number(port), hostname, () => socket.write(request, "latin1"));
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      answer += text;
    });
    socket.on("end", () => resolve(answer));
    socket.on("error", reject);
  });
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;

test.each<[string, string, RegExp]>([
  ["the page", get("/"), /^HTTP\/1\.1 200 [\s\S]*text\/html/],
  ["a whole address", get("http://localhost/index.html"), /^HTTP\/1\.1 200 /],
  ["half an address", get("http://[::1"), /^HTTP\/1\.1 400 /],
  ["an address without a host", get("http://"), /^HTTP\/1\.1 400 /],
  ["two slashes", get("//"), /^HTTP\/1\.1 400 /],
  ["a file as a folder", get("/index.html/"), /^HTTP\/1\.1 404 /],
  ["a script as a folder", get("/main.js/x"), /^HTTP\/1\.1 404 /],
  ["a folder as a file", get("/divflow/types"), /^HTTP\/1\.1 404 /],
  ["a file above the root", get("/../package.json"), /^HTTP\/1\.1 404 /],
  ["the same, in escapes", get("/..%2fpackage.json"), /^HTTP\/1\.1 404 /],
  ["the same, in dots that are escaped", get("/%2e%2e/%2e%2e/package.json"), /^HTTP\/1\.1 404 /],
  ["the same, by backslashes", get("/..\\..\\package.json"), /^HTTP\/1\.1 404 /],
  ["the same, below the built package", get("/divflow/..%2f..%2fpackage.json"), /^HTTP\/1\.1 404 /],
  ["a percent sign", get("/%"), /^HTTP\/1\.1 404 /],
  ["an escaped NUL", get("/%00"), /^HTTP\/1\.1 404 /],
  ["no UTF-8", get("/%ff%fe"), /^HTTP\/1\.1 404 /],
  ["a name longer than any file's", get(`/${"a".repeat(8000)}`), /^HTTP\/1\.1 404 /],
  ["a name longer than any request", get(`/${"a".repeat(100_000)}`), /^HTTP\/1\.1 4\d\d /],
  ["no host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", /^HTTP\/1\.1 400 /],
  ["the old protocol", "GET /index.html HTTP/1.0\r\n\r\n", /^HTTP\/1\.[01] 200 /],
  ["no path", "GET\r\n\r\n", /^HTTP\/1\.1 400 /],
  ["no request", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", /^HTTP\/1\.1 400 /],
  ["a header cut short", "GET / HTTP/1.1\r\nHost: x\r\n: \x00\r\n\r\n", /^HTTP\/1\.1 400 /],
])("%s", async (_, request, expected) => {
  const answer = await answerTo(request);
  expect(answer).toMatch(expected);
  expect(answer).not.toContain(root);
  expect(answer).not.toContain('"name": "divflow"'); // of package.json
  expect(await answerTo(get("/"))).toMatch(/^HTTP\/1\.1 200 /);
});
