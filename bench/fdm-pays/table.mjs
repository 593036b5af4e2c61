/** Runs that are kept, paired by seed and made tables. */

/**
 * @typedef {{ kind: "cost", cost: string, method: string, ratio: number, least: number, most: number }} CostLine
 * @typedef {object} RunLine
 * @property {"run"} kind
 * @property {string} case
 * @property {string} method
 * @property {number} seed
 * @property {"cost" | "steps"} at - what is equal to CFM's.
 * @property {number} steps
 * @property {number} best - the step that validation chose.
 * @property {Record<string, number>} metrics - smaller is better.
 * @property {number} seconds - of CPU time, of training and validating.
 * @typedef {CostLine | RunLine} Line
 * @typedef {(a: readonly number[], b: readonly number[]) => { difference: number, standardError: number, p: number }} Test
 *   the paired t-test
 * @typedef {{ case: string, method: string, at?: "cost" | "steps" }} Which
 */

/** A last line that a kill cut short is left out: its run is done again. @param {string} text @returns {Line[]} */
export function parseLines(text) {
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/**
 * The runs asked for, by seed. A step of CFM costs 1, so that its runs at equal cost are those at equal steps too.
 *
 * @param {readonly Line[]} lines
 * @param {Which} which
 * @returns {Map<number, RunLine>}
 */
export function runsOf(lines, { case: name, method, at = "cost" }) {
  const found = new Map();
  for (const line of lines) {
    if (line.kind !== "run" || line.case !== name || line.method !== method) continue;
    if (line.at === at || method === "cfm") found.set(line.seed, line);
  }
  return found;
}

/** A figure that the judge gave, or the step that validation chose. @param {RunLine} run @param {string} metric */
const metricOf = ({ best, metrics }, metric) => (metric === "best" ? best : (metrics[metric] ?? Number.NaN));

/**
 * The first less the second, over the seeds that both have.
 *
 * @param {readonly Line[]} lines
 * @param {Which} first
 * @param {Which} second
 * @param {string} metric
 * @param {Test} test
 */
export function compared(lines, first, second, metric, test) {
  const [a, b] = [runsOf(lines, first), runsOf(lines, second)];
  const seeds = [...a.keys()].filter((seed) => b.has(seed)).sort((x, y) => x - y);
  const values = (/** @type {Map<number, RunLine>} */ runs) =>
    seeds.map((seed) => metricOf(/** @type {RunLine} */ (runs.get(seed)), metric));
  return { seeds, ...test(values(a), values(b)) };
}

/** @param {{ seeds: readonly number[], difference: number, standardError: number, p: number }} found @param {number} digits */
export function cell({ seeds, difference, standardError, p }, digits) {
  if (seeds.length === 0) return "";
  const signed = `${difference > 0 ? "+" : ""}${difference.toFixed(digits)}`;
  if (seeds.length === 1) return signed;
  const chance = p < 0.001 ? "< 0.001" : p.toFixed(p < 0.1 ? 3 : 2);
  const text = `${signed} ± ${standardError.toFixed(digits)} (${chance})`;
  return p <= 0.05 ? `**${text}**` : text;
}

const mean = (/** @type {readonly number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * A row for each case: the mean of one method, and what the others have less than it, or more.
 *
 * @param {readonly Line[]} lines
 * @param {{ cases: readonly string[], methods: readonly string[], metric?: string, against?: string, at?: "cost" | "steps", digits?: number }} asked
 * @param {Test} test
 */
export function overview(lines, { cases, methods, metric = "nats", against = "cfm", at = "cost", digits = 3 }, test) {
  const others = methods.filter((method) => method !== against);
  const rows = cases.flatMap((name) => {
    const second = { case: name, method: against, at };
    const own = [...runsOf(lines, second).values()].map((run) => metricOf(run, metric));
    const cells = others.map((method) =>
      cell(compared(lines, { case: name, method, at }, second, metric, test), digits),
    );
    const known = own.some((value) => !Number.isNaN(value)); // else it was not trained on, or is not judged by that
    return known ? [[name, String(own.length), mean(own).toFixed(digits), ...cells]] : [];
  });
  const heads = ["", "seeds", against, ...others];
  return [heads, ["---", ...heads.slice(1).map(() => "--:")], ...rows]
    .map((row) => `| ${row.join(" | ")} |`)
    .join("\n");
}

/** What a step costs in steps of CFM. @param {readonly Line[]} lines */
export function costTable(lines) {
  /** @type {CostLine[]} */
  const costs = lines.flatMap((line) => (line.kind === "cost" ? [line] : []));
  const names = [...new Set(costs.map(({ cost }) => cost))];
  const ratio = (/** @type {string} */ method, /** @type {string} */ name) =>
    costs.find((line) => line.method === method && line.cost === name)?.ratio.toFixed(2) ?? "";
  const methods = [...new Set(costs.map(({ method }) => method))];
  return [
    `| | ${names.join(" | ")} |`,
    `|---|${names.map(() => "--:|").join("")}`,
    ...methods.map((method) => `| ${method} | ${names.map((name) => ratio(method, name)).join(" | ")} |`),
  ].join("\n");
}
