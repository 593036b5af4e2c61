/** The experiments of letters as their users run them: tiny runs of both, files that are refused, and a file that changes. */
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { drawPromoters, promoterClasses } from "../../../src/cli/experiment/letters/promoters.ts";
import { useCli } from "../run.ts";

const cli = useCli();
const small = ["--backend", "wasm", "--threads", "1", "--set"];
const run = (name: string, settings: string, ...more: string[]) =>
  cli.run(["experiment", ...name.split(" "), ...small, settings, ...more]);
type Metrics = Readonly<Record<string, { readonly value: number | null }>>;

async function resultsOf(folder: string): Promise<Readonly<Record<string, Metrics>>> {
  const { results } = JSON.parse((await readFile(cli.path(folder, "results.json"))).toString());
  return Object.fromEntries(results.map(({ loss, metrics }: { loss: string; metrics: Metrics }) => [loss, metrics]));
}

const value = (metrics: Metrics | undefined, name: string) => metrics?.[name]?.value ?? Number.NaN;

async function reportOf(folder: string): Promise<string> {
  const html = (await readFile(cli.path(folder, "report.html"))).toString();
  expect(html).not.toMatch(/NaN|undefined|Infinity|https?:|<script/);
  return html;
}

test("dna-toy learns shares far beyond even ones, and says what chance leaves", { timeout: 120_000 }, async () => {
  const settings = "letters=8,steps=600,channels=8,samples=2000,solver=25,batch=64,blocks=1,rate=0.01";
  const { code, errors } = await run("dna-toy", settings, "--out", "toy");
  expect(code, errors).toBe(0);
  const { cfm, fdm, linear, chance } = await resultsOf("toy");
  for (const trained of [cfm, fdm, linear]) {
    expect(value(trained, "divergence")).toBeLessThan(0.4 * value(trained, "even"));
    expect(value(trained, "divergence")).toBeGreaterThan(2 * value(chance, "divergence"));
    expect(value(trained, "expected")).toBeCloseTo(7 / 4000, 12);
  }
  // 12 places' means of chi-square over 2 n: 4 standard errors are 0.6 of it.
  expect(Math.abs(value(chance, "divergence") / (7 / 4000) - 1)).toBeLessThan(0.6);
  const html = await reportOf("toy");
  for (const words of ["Place 4", "KL by place", "not 40 or 80", "True shares"]) expect(html).toContain(words);
});

const tiny = "rows=160,steps=40,channels=8,samples=48,solver=4,batch=16";

test("dna on made sequences has metrics of words, memory, motifs and classes", { timeout: 120_000 }, async () => {
  const { code, errors } = await run("dna", `places=48,${tiny}`, "--losses", "cfm,places,rows", "--out", "made");
  expect(code, errors).toBe(0);
  const { cfm, places, rows } = await resultsOf("made");
  expect(value(rows, "copies")).toBe(100);
  expect(value(places, "copies")).toBe(0);
  expect(value(rows, "nearest")).toBeLessThan(-20);
  expect(value(places, "spectrum3")).toBeLessThan(value(cfm, "spectrum3"));
  expect(value(places, "told")).toBeGreaterThan(80);
  expect(value(cfm, "crossEntropy")).toBeGreaterThan(0.9);
  expect(value(cfm, "crossEntropy")).toBeLessThan(1.5); // ln 4 is 1.386
  expect(places?.crossEntropy).toBeUndefined();
  const html = await reportOf("made");
  for (const words of [
    "TATA box in tata",
    "strength of guidance",
    "Letters by place: rows held out",
    "2.59e-2",
    "GC content",
  ]) {
    expect(html).toContain(words);
  }
});

/** A FASTA file of made sequences, whose first one may be changed. */
async function writeSequences(
  name: string,
  places: number,
  change = (line: string) => line,
  labels = true,
): Promise<string> {
  const { values, count, labels: kinds } = drawPromoters(120, 48, 3);
  const lines = Array.from({ length: count }, (_, row) => {
    const letters = Array.from(values.subarray(48 * row, 48 * row + places), (letter) => "acgt"[letter]).join("");
    return `>s${row}${labels ? ` label=${promoterClasses[kinds[row] as number]}` : ""}\n${row === 0 ? change(letters) : letters}\n`;
  });
  await writeFile(cli.path(name), lines.join(""));
  return cli.path(name);
}

describe("dna on a file", { timeout: 120_000 }, () => {
  test("with labels; it refuses to go on with a file that has changed", async () => {
    const file = await writeSequences("a.fasta", 40);
    const { code, errors } = await run(`dna ${file}`, tiny, "--losses", "cfm,rows", "--out", "file");
    expect(code, errors).toBe(0);
    const { cfm, rows } = await resultsOf("file");
    expect(value(cfm, "told")).toBeGreaterThanOrEqual(0);
    expect(cfm).not.toHaveProperty("motifs");
    expect(value(rows, "copies")).toBe(100);
    expect(await reportOf("file")).toContain("a file of yours");
    await writeSequences("a.fasta", 40, (line) => `${line.startsWith("a") ? "c" : "a"}${line.slice(1)}`);
    const again = await run(`dna ${file}`, tiny, "--losses", "cfm,rows,places", "--out", "file");
    expect(again.code).toBe(2);
    expect(again.errors).toMatch(/other sequences than the run began with/);
  });

  test("without labels there is nothing of classes", async () => {
    const file = await writeSequences("b.fasta", 30, undefined, false);
    const { code, errors } = await run(`dna ${file}`, tiny, "--losses", "cfm", "--out", "plain");
    expect(code, errors).toBe(0);
    const { cfm } = await resultsOf("plain");
    expect(cfm).not.toHaveProperty("told");
    expect(await reportOf("plain")).not.toContain("strength of guidance");
  });

  test.each([
    ["another length", (line: string) => line.slice(1), /line 3: got "40 letters in s1", expected 39/],
    ["an unknown base", (line: string) => `${line.slice(1)}N`, /line 2, column 40: got "N"/],
  ])("with %s is refused before any work", async (_, change, words) => {
    const file = await writeSequences("c.fasta", 40, change);
    const { code, errors } = await run(`dna ${file}`, tiny, "--out", "refused");
    expect(code).toBe(2);
    expect(errors).toMatch(words);
  });

  test("that is not there, too few, and settings that do not go with made ones", async () => {
    expect((await run("dna nowhere.fasta", tiny)).errors).toMatch(
      /nowhere\.fasta: got "ENOENT", expected a FASTA file, or "promoters"/,
    );
    await writeFile(cli.path("few.fasta"), ">a\nACGTACGT\n>b\nACGTACGT\n");
    expect((await run(`dna ${cli.path("few.fasta")}`, tiny)).errors).toMatch(
      /got "2 sequences of 8 letters", expected at least 20/,
    );
    expect((await run("dna", "places=20")).errors).toMatch(/--set places of dna: got 20, expected an integer from 48/);
    expect((await run("dna", "heldOut=1")).errors).toMatch(/--set heldOut of dna: got 1/);
  });
});
