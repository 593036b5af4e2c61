/**
 * `npm run test:browsers [-- NAME...]`: tries the library in browsers that npm does not bring, and prints a table of
 * versions and results. Names are of browsers and of trials; default: all. Exit code 1 when something failed or a browser
 * is missing.
 */
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { cache } from "../../.build/files.mjs";
import { bundleChecks } from "../../.build/platforms/bundle-checks.mjs";
import { browsers } from "./open.mjs";
import { openSite } from "./site.mjs";
import { Lacking, trials } from "./trials.mjs";

const known = [...Object.keys(browsers), ...Object.keys(trials)];
const unknown = process.argv.slice(2).find((name) => !known.includes(name));
if (unknown !== undefined) {
  console.error(`Got "${unknown}", expected names out of ${known.join(", ")}.`);
  process.exit(2);
}

/** Those of a table that were named, or all. @param {object} table */
function chosen(table) {
  const named = process.argv.slice(2).filter((name) => name in table);
  return named.length > 0 ? named : Object.keys(table);
}

const folder = join(cache, `browsers-${randomUUID()}`);
/** @type {string[][]} */
const rows = [];
try {
  await bundleChecks(folder);
  const site = await openSite(folder);
  for (const name of chosen(browsers)) await tryBrowser(name, site);
  await site.close();
} finally {
  await rm(folder, { recursive: true, force: true });
}
printTable([["browser", ...chosen(trials)], ...rows]);
process.exit(process.exitCode ?? 0); // whatever a crashed browser has left open

/** @param {string} name @param {Awaited<ReturnType<typeof openSite>>} site */
async function tryBrowser(name, site) {
  const { open, packages } = browsers[name];
  const browser = await open();
  if (!browser) {
    console.error(`${name} is missing. Debian and Ubuntu have it: apt-get install --no-install-recommends ${packages}`);
    rows.push([name, ...chosen(trials).map(() => "not installed")]);
    process.exitCode = 1;
    return;
  }
  const row = [browser.version];
  rows.push(row);
  for (const trial of chosen(trials)) {
    const start = performance.now();
    try {
      row.push(await trials[trial](browser, site));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (error instanceof Lacking) row.push(message);
      else {
        process.exitCode = 1;
        row.push(`FAILED: ${message.split("\n")[0]}`);
        console.error(`${browser.version}, ${trial}: ${message}`);
      }
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.error(`${browser.version}, ${trial}: ${row.at(-1)} (${seconds} s)`);
  }
  await browser.close();
}

/** @param {string[][]} lines - the first is the head. */
function printTable(lines) {
  const rule = lines[0].map(() => "---");
  for (const cells of [lines[0], rule, ...lines.slice(1)]) console.log(`| ${cells.join(" | ")} |`);
}
