/**
 * Steps of networks as text: what they take, and what is asked of them.
 * @import { Row } from "./rows.mjs"
 */
import { median, networkNames } from "./workload.mjs";

/** FDM against PyTorch's by double backward, both with two threads: at most. */
const againstTorch = /** @type {Readonly<Record<string, number>>} */ ({
  ...{ unet1d: 1.1, "unet1d-small": 1.1, cnn: 1.2, "cnn-toy": 1.2, unet2d: 0.7, sit: 1.5, transformer: 1.5 },
});
/** FDM against CFM, at most; of products' own rate, at least; of bytes, at most; of the least peak, at most. */
const asked = { time: 2.2, memory: 1.5, products: 0.65, copies: 0.05, peak: 1.1 };

const columns = /** @type {const} */ ([
  { title: "WASM x1", backend: "wasm", threads: 1 },
  { title: "WASM x2", backend: "wasm", threads: 2 },
  { title: "PyTorch x2", backend: "cpu", threads: 2 },
  { title: "WebGPU", backend: "webgpu", threads: 1 },
]);

/**
 * One row's time over another's of the same run: the median of the turns' ratios, each of medians; undefined where a turn
 * is not told.
 * @param {Row | undefined} above @param {Row | undefined} below
 */
export function pairedRatio(above, below) {
  if (above?.ms == null || below?.ms == null) return undefined;
  const [over, under] = [turnsOf(above), turnsOf(below)];
  const ratios = over.slice(0, under.length).map((times, turn) => median(times) / median(under[turn] ?? []));
  return ratios.length > 0 ? median(ratios) : undefined;
}

/** @param {Row} row @returns {number[][]} */
function turnsOf({ samples, turns = [] }) {
  let from = 0;
  return turns.map((count) => {
    const taken = samples.slice(from, from + count);
    from += count;
    return taken;
  });
}

/** Share of a step that its products take, each timed alone. @param {Row | undefined} row */
export function productShare(row) {
  if (!row?.kinds) return undefined;
  const { milliseconds, kinds } = row.kinds;
  return sum(kinds.filter(({ isProduct }) => isProduct).map((kind) => kind.milliseconds)) / milliseconds;
}

/** @param {readonly number[]} values */
const sum = (values) => values.reduce((total, value) => total + value, 0);

/** All of an FDM step beside all of a CFM step, in memory: temporaries, and what outlives the step. @param {Row | undefined} fdm @param {Row | undefined} cfm */
export function memoryRatio(fdm, cfm) {
  if (!fdm?.plan || !cfm?.plan) return undefined;
  return (fdm.plan.peakBytes + fdm.plan.stateBytes) / (cfm.plan.peakBytes + cfm.plan.stateBytes);
}

/**
 * Tables in Markdown.
 * @param {readonly Row[]} rows
 * @returns {string[]} lines
 */
export function networkTables(rows) {
  const names = networkNames.filter((name) => rows.some(({ network }) => network === name));
  const find = (/** @type {string} */ name, /** @type {string} */ workload, /** @type {Partial<Row>} */ like) =>
    rows.find(
      (row) =>
        row.network === name &&
        row.workload === workload &&
        row.backend === like.backend &&
        (like.threads === undefined || row.threads === like.threads),
    );
  const shown = columns.filter((column) =>
    names.some((name) => find(name, "fdm", column) ?? find(name, "cfm", column)),
  );
  const times = names.map((name) => [
    name,
    ...shown.map((column) => ["cfm", "fdm"].map((each) => milliseconds(find(name, each, column))).join(" / ")),
  ]);
  const facts = names.map((name) => {
    const threads = find(name, "fdm", { backend: "wasm", threads: 2 }) ? 2 : 1;
    const [cfm, fdm] = ["cfm", "fdm"].map((each) => find(name, each, { backend: "wasm", threads }));
    const torch = find(name, "fdm", { backend: "cpu", threads });
    const alone = find(name, "fdm", { backend: "wasm", threads: 1 });
    const plan = fdm?.plan;
    const least = againstTorch[name] ?? Number.NaN;
    return [
      name,
      most(pairedRatio(fdm, cfm), asked.time),
      most(memoryRatio(fdm, cfm), asked.memory),
      most(pairedRatio(fdm, torch), least),
      atLeast(productShare(fdm), asked.products),
      atLeast(productShare(alone), asked.products),
      percentAtMost(plan && plan.copyBytes / plan.bytes, asked.copies),
      most(plan && plan.peakBytes / plan.leastPeakBytes, asked.peak),
      [cfm?.plan?.calls ?? "", plan?.calls ?? ""].join(" / "),
      besideProducts(fdm),
    ];
  });
  const head = [
    "",
    `FDM / CFM (<= ${asked.time})`,
    `in memory (<= ${asked.memory})`,
    "FDM / PyTorch's",
    `products' share (>= ${100 * asked.products} %)`,
    "of one thread",
    `copies (<= ${100 * asked.copies} %)`,
    `peak / least (<= ${asked.peak})`,
    "calls",
    "beside products",
  ];
  return [
    "CFM / FDM, medians in ms:",
    "",
    ...markdown(["", ...shown.map(({ title }) => title)], times),
    "",
    "Of the WASM steps, with two threads where they are there; **bold**: not what is asked.",
    "",
    ...markdown(head, facts),
    ...reasons(rows.filter(({ network }) => network !== undefined)),
  ];
}

/** @param {Row | undefined} row */
function milliseconds(row) {
  if (row === undefined) return "";
  if (row.ms === null) return row.error === undefined ? "left out" : "failed";
  return row.ms >= 100 ? row.ms.toFixed(0) : row.ms.toPrecision(3);
}

/** @param {number | undefined} value @param {number} limit */
function most(value, limit) {
  if (value === undefined) return "";
  const text = value.toFixed(2);
  if (!Number.isFinite(limit)) return text;
  return value <= limit ? text : `**${text}** (<= ${limit})`;
}

/** @param {number | undefined} share @param {number} limit */
function atLeast(share, limit) {
  return share === undefined ? "" : share >= limit ? percent(share) : `**${percent(share)}**`;
}

/** @param {number | undefined} share @param {number} limit */
function percentAtMost(share, limit) {
  return share === undefined ? "" : share <= limit ? percent(share) : `**${percent(share)}**`;
}

/** @param {number} share */
const percent = (share) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

/** The three kinds of kernels that take most beside products, with their share of the step. @param {Row | undefined} row */
function besideProducts(row) {
  if (!row?.kinds) return "";
  const { milliseconds: whole, kinds } = row.kinds;
  const rest = kinds.filter(({ isProduct }) => !isProduct).slice(0, 3);
  return rest.map(({ name, calls, milliseconds: ms }) => `${name} ${percent(ms / whole)} (${calls})`).join(", ");
}

/** What has no figure, and why. @param {readonly Row[]} rows */
function reasons(rows) {
  const lines = rows
    .filter(({ ms }) => ms === null)
    .map(({ workload, network, implementation, backend, threads, error, leftOut }) => {
      const how = backend === "webgpu" ? "WebGPU" : `${backend === "wasm" ? "WASM" : "CPU"} x${threads}`;
      return `- ${workload} ${network}, ${implementation}, ${how}: ${error === undefined ? `left out, ${leftOut}` : `failed, ${error}`}`;
    });
  return lines.length > 0 ? ["", "Without a figure:", "", ...lines] : [];
}

/** @param {readonly string[]} head @param {readonly (readonly string[])[]} rows */
function markdown(head, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "--:"))), ...rows.map(line)];
}
