// divflow/data is for who reads files and nothing else: an app that imports a reader gets that reader.
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { root } from "../../.build/files.mjs";
import * as data from "../../src/data.ts";
import * as index from "../../src/index.ts";

/** What an app's bundler makes of this one import. */
async function bundled(name: string, entry: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export { ${name} } from "./src/${entry}";`, resolveDir: root },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    metafile: true,
  });
  const [{ inputs }] = Object.values(metafile.outputs);
  const files = Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return { files: files.map(([file]) => file), size: gzipSync(outputFiles[0].contents, { level: 9 }).length };
}

test.each([
  ["readCsv", 7900],
  ["readNpy", 3500],
  ["readNpz", 5500],
  ["readPoints", 11100],
  ["writeCsv", 2300],
])("%s alone is at most %i bytes, gzipped, and nothing of the engine", async (name, most) => {
  const { files, size } = await bundled(name, "data.ts");
  expect(
    files.filter((file) => !/src\/(data[./]|errors\.ts|closest\.ts|graph\/(node|options)\.ts)|stdin/.test(file)),
  ).toEqual([]);
  expect(size).toBeLessThan(most);
});

test("what both entries export is the same, so that errors are caught by either's classes", () => {
  const shared = Object.keys(data).filter((name) => name in index);
  expect(shared).toEqual(expect.arrayContaining(["readCsv", "readNpy", "writeNpy", "readPoints", "DataError"]));
  for (const name of shared) expect(Reflect.get(data, name)).toBe(Reflect.get(index, name));
});
