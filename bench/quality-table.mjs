/**
 * `npm run bench:quality`, second half: the README's table of likelihoods, and the picture above it, from what
 * `divflow compare --seeds 3 --json` found.
 */
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile, root } from "../.build/files.mjs";
import { insertTable } from "./table.mjs";

/**
 * @typedef {{ mean: number, deviation: number }} Spread
 * @typedef {{ name: string, negativeLogLikelihood: Spread, velocityLoss: Spread, divergenceLoss: Spread, steps: Spread, seconds: Spread }} Summary
 * @typedef {{ against: string, mean: number, standardError: number }} Difference
 */

const results = join(root, "bench", "results", "quality.json");
const picture = join(root, "runs", "seeds", "densities.png");

const { config, truth, points, results: judged, summary, differences } = JSON.parse(await readFile(results, "utf8"));
const seeds = judged.length / summary.length;

/** @param {Spread} spread */
const cell = ({ mean, deviation }) => `${mean.toFixed(4)} ± ${deviation.toFixed(4)}`;
/** @type {Record<string, string>} */
const titles = { cfm: "CFM", fdm: "FDM", "cfm-seconds": "CFM, equal seconds" };
/** FDM's likelihood less that of the model named, on the same points, with its standard error over the seeds. @param {string} name */
const lessThis = (name) => {
  const found = differences.find((/** @type {Difference} */ { against }) => against === name);
  return found ? `${found.mean.toFixed(4)} ± ${found.standardError.toFixed(4)}` : "";
};
/** @param {Summary} one */
const row = ({ name, negativeLogLikelihood, velocityLoss, divergenceLoss, steps, seconds }) =>
  `| ${titles[name]} | ${cell(negativeLogLikelihood)} | ${lessThis(name)} | ${cell(velocityLoss)} | ${cell(divergenceLoss)} | ${Math.round(steps.mean).toLocaleString("en")} | ${seconds.mean.toFixed(0)} |`;

const { hidden } = config.network.config;
const table = [
  `Checkerboard, ${hidden.length} x ${hidden[0]}, batches of ${config.batchSize} (the size of \`npm start\`), ${seeds} seeds, each model at its last step;`,
  `mean ± standard deviation over the seeds of the mean over ${points} fresh points, exact divergence, nats. A step of FDM`,
  'costs more: the last CFM was trained for as many steps as FDM\'s seconds buy. "FDM less this": mean difference on the same',
  "points ± its standard error over the seeds; below 0, FDM is better.",
  `The data's own entropy, below which no model can be: ${truth.toFixed(4)}. (\`npm run bench:quality\`)`,
  "",
  "| | negative log-likelihood | FDM less this | velocity loss | divergence loss | steps | seconds |",
  "|---|--:|--:|--:|--:|--:|--:|",
  ...summary.map(row),
].join("\n");

const text = await readFile(join(root, "README.md"), "utf8");
const markers = { start: "<!-- measured -->", end: "<!-- end of measured -->" };
await replaceFile("README.md", insertTable(text, table, markers));
await copyFile(picture, join(root, "docs", "densities.png"));
