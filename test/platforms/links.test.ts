// Links between documents lead somewhere, in the checkout and in what npm publishes.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../../.build/files.mjs";

const [{ files }] = JSON.parse(
  execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: root,
    encoding: "utf8",
    timeout: 60_000,
  }),
) as [{ files: { path: string }[] }];
const packed = files.map(({ path }) => path);
const documents = packed.filter((path) => path.endsWith(".md"));

/** Relative addresses of a document's links and images, without what follows #. */
function linksOf(document: string): string[] {
  const text = readFileSync(join(root, document), "utf8").replace(/^```[\s\S]*?^```/gm, "");
  const addresses = [...text.matchAll(/\]\(([^)\s]+)\)/g), ...text.matchAll(/<img[^>]*\ssrc="([^"]+)"/g)];
  return addresses.flatMap(([, address]) => (/^(\w+:|#)/.test(address) ? [] : address.replace(/#.*/, "")));
}

describe.each(documents)("%s", (document) => {
  test("links to what is there, and ships", () => {
    const targets = linksOf(document).map((link) => posix.normalize(posix.join(dirname(document), link)));
    const ships = (path: string) =>
      packed.some((file) => file === path || file.startsWith(path.endsWith("/") ? path : `${path}/`));
    expect(targets.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(targets.filter((path) => !ships(path))).toEqual([]);
  });
});

test("README, changelog and license ship", () => {
  expect(packed).toEqual(expect.arrayContaining(["README.md", "CHANGELOG.md", "LICENSE", "docs/architecture.md"]));
});
