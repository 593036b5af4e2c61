/**
 * Rows as text: what a terminal shows, and the table of the README.
 * @import { Row } from "./rows.mjs"
 * @import { Machine } from "./machine.mjs"
 */
import { networkTables } from "./network-table.mjs";
import { networkNames } from "./workload.mjs";

/** Beside networks alone. */
export const torchTitle = { torch: { title: "PyTorch" } };

/** @typedef {Readonly<Record<string, { readonly title: string }>>} Titles - of the peers, by implementation */

const runtimeTitles = /** @type {Record<string, string>} */ ({
  ...{ node: "Node", chromium: "Chromium", deno: "Deno", python: "Python" },
});

/** @param {Row} row */
const taskOf = ({ workload, shape, network, width, batch }) => [workload, shape ?? network, width, batch].join(" ");

/**
 * A peer's row to compare a row with: the same task, backend and threads; the same runtime where there is one.
 * @param {Row} row @param {string} peer @param {readonly Row[]} rows
 */
export function peerRow(row, peer, rows) {
  const fitting = rows.filter(
    (other) =>
      other.implementation === peer &&
      other.ms !== null &&
      taskOf(other) === taskOf(row) &&
      (other.backend === row.backend || other.backend === "cpu") &&
      other.threads === row.threads,
  );
  return fitting.find(({ runtime }) => runtime === row.runtime) ?? fitting[0];
}

/** How many times as long as divflow the peer takes; undefined where either has no figure. @param {Row} row @param {string} peer @param {readonly Row[]} rows */
export function ratioTo(row, peer, rows) {
  const other = peerRow(row, peer, rows);
  return row.ms === null || !other || other.ms === null ? undefined : other.ms / row.ms;
}

/** The rate of a row beside that of divflow's own product at a hidden layer's shape, on the same contender. @param {Row} row @param {readonly Row[]} rows */
export function shareOfMatmul(row, rows) {
  if (row.workload === "matmul" || row.implementation !== "divflow" || row.gflops === null) return undefined;
  const product = rows.find(
    (other) =>
      other.workload === "matmul" &&
      other.implementation === "divflow" &&
      other.width === row.width &&
      other.shape?.endsWith(`x${row.width}x${row.width}`) &&
      other.backend === row.backend &&
      other.runtime === row.runtime &&
      other.threads === row.threads &&
      other.relaxed === row.relaxed,
  );
  return product?.gflops ? row.gflops / product.gflops : undefined;
}

/** @param {Row} row */
function howOf({ backend, threads, relaxed }) {
  if (backend === "webgpu") return "WebGPU";
  if (backend === "cpu") return `x${threads}`;
  return `WASM${relaxed === null ? "" : relaxed ? " relaxed" : " plain"} x${threads}`;
}

/** With three digits, or none after the point: milliseconds, or seconds above ten thousand of them. @param {number} ms */
export function timeText(ms) {
  if (ms >= 1_000_000) return `${(ms / 1000).toFixed(0)} s`;
  if (ms >= 10_000) return `${(ms / 1000).toPrecision(3)} s`;
  return ms >= 100 ? `${ms.toFixed(0)} ms` : `${ms.toPrecision(3)} ms`;
}

/** @param {number | undefined} share */
const percent = (share) => (share === undefined ? "" : `${Math.round(100 * share)} %`);
/** @param {number | undefined} ratio */
const times = (ratio) => (ratio === undefined ? "" : `${ratio.toPrecision(2)}x`);

/** Rows of one task one under another, in order of appearance. @param {readonly Row[]} rows @returns {Row[][]} */
function byTask(rows) {
  /** @type {Map<string, Row[]>} */
  const groups = new Map();
  for (const row of rows) groups.set(taskOf(row), [...(groups.get(taskOf(row)) ?? []), row]);
  return [...groups.values()];
}

/**
 * By width and workload; within a task WASM first, divflow before its peers. What was measured in several runs then
 * reads as if it had been one.
 * @param {readonly Row[]} rows
 */
export function inOrder(rows) {
  const workloads = [...Object.keys(workloadTitles), "matmul"];
  const runtimes = Object.keys(runtimeTitles);
  const ranks = (/** @type {Row} */ { width, network, workload, backend, implementation, runtime, threads }) => [
    width,
    networkNames.indexOf(/** @type {typeof networkNames[number]} */ (network)),
    workloads.indexOf(workload),
    Number(backend !== "wasm"),
    Number(implementation !== "divflow"),
    threads,
    runtimes.indexOf(runtime),
  ];
  return [...rows].sort((a, b) => {
    const [left, right] = [ranks(a), ranks(b)];
    const at = left.findIndex((rank, i) => rank !== right[i]);
    return at < 0 ? 0 : Number(left[at]) - Number(right[at]);
  });
}

/** @param {readonly (readonly string[])[]} cells - rows; the first column is aligned left @returns {string[]} */
function aligned(cells) {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  return cells.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/**
 * A block of lines for each task: every contender, and beside divflow's how much longer its peers take.
 * @param {readonly Row[]} rows
 * @param {Titles} [titles]
 */
export function textTable(rows, titles = {}) {
  const peers = peersIn(rows, titles);
  const head = ["", "median", "best", "GFLOP/s", "of ceiling", "of matmul"];
  const ofNetworks = rows.filter(({ network }) => network !== undefined);
  const blocks = byTask(rows).flatMap((group) => {
    const [{ workload, shape, network, width, batch }] = /** @type {[Row]} */ (group);
    const measured = group.filter(({ ms }) => ms !== null);
    const figures = measured.map((row) => [
      nameOf(row),
      timeText(Number(row.ms)) + (row.scaled ? "*" : ""),
      timeText(Number(row.best)),
      Number(row.gflops).toPrecision(3),
      percent(row.ceiling ? Number(row.gflops) / row.ceiling : undefined),
      percent(shareOfMatmul(row, rows)),
      ...peers.map(([peer]) => (row.implementation === "divflow" ? times(ratioTo(row, peer, rows)) : "")),
    ]);
    const heads = [...head, ...peers.map(([, { title }]) => `${title} takes`)];
    return [
      `${workload}${shape ? ` ${shape}` : ""}, ${network ?? `width ${width}`}, batch ${batch}`,
      ...(figures.length > 0 ? aligned([heads, ...figures]) : []),
      ...group.filter(({ ms }) => ms === null).map((row) => `${nameOf(row)}: ${reasonOf(row)}`),
      "",
    ];
  });
  return [...blocks, ...(ofNetworks.length > 0 ? [...networkTables(ofNetworks), ""] : [])];
}

/** @param {Row} row */
function nameOf(row) {
  return `${row.implementation}, ${runtimeTitles[row.runtime]}, ${howOf(row)}`;
}

/** Why a row has no figure. @param {Row} row */
function reasonOf({ error, leftOut }) {
  return error === undefined ? `left out, ${leftOut}` : `ERROR, ${error}`;
}

/** The peers that have rows. @param {readonly Row[]} rows @param {Titles} titles */
function peersIn(rows, titles) {
  return Object.entries(titles).filter(([peer]) => rows.some(({ implementation }) => implementation === peer));
}

const workloadTitles = /** @type {Record<string, string>} */ ({
  cfm: "CFM step",
  fdm: "FDM step",
  "cfm-full": "CFM, public step",
  "fdm-full": "FDM, public step",
  "fraction-full": "FDM on half of the batch, public step",
  sample: "100 Euler steps of 4096",
  logdensity: "with log-density",
});

/** What the README shows: where, and the row of divflow's that stands for it. */
const sections = [
  { title: "WASM, one thread, Node", backend: "wasm", threads: 1, runtime: "node" },
  { title: "WASM, one thread, Chromium", backend: "wasm", threads: 1, runtime: "chromium" },
  { title: "WASM, two threads, Node", backend: "wasm", threads: 2, runtime: "node" },
  { title: "WASM, two threads, Chromium", backend: "wasm", threads: 2, runtime: "chromium" },
  { title: "WebGPU, Chromium", backend: "webgpu", threads: 1, runtime: "chromium" },
  { title: "WebGPU, Deno", backend: "webgpu", threads: 1, runtime: "deno" },
];

/**
 * The README's table in Markdown: for each place, width and workload divflow's median, and beside it each peer's with
 * the factor.
 * @param {{ machine: Machine, rows: readonly Row[] }} result
 * @param {Titles} titles
 */
export function markdownTable({ machine, rows }, titles) {
  const measured = rows.filter(({ ms, network }) => ms !== null && network === undefined);
  const peers = peersIn(measured, titles);
  const lines = [
    `Medians on ${circumstances({ machine, rows }, titles)}. In brackets: GFLOP/s, and how many times as long a peer takes. ` +
      "\\* scaled from fewer Euler steps.",
  ];
  for (const section of sections) {
    const own = ownRows(section, measured);
    if (own.length === 0) continue;
    const shown = peers.filter(([peer]) => own.some((row) => peerRow(row, peer, measured)));
    const head = [section.title, "width", "divflow", ...shown.map(([, { title }]) => title)];
    lines.push("", tableLine(head), tableLine(head.map((_, i) => (i === 0 ? "---" : "--:"))));
    for (const row of own) {
      lines.push(tableLine([...ownCells(row), ...shown.map(([peer]) => peerCell(row, peer, measured))]));
    }
  }
  return lines.join("\n");
}

/**
 * All rows as a page in Markdown: every contender at every task, medians and bests, and why others have no figure.
 * @param {{ machine: Machine, rows: readonly Row[] }} result
 * @param {Titles} peerTitles
 * @param {{ machine: Machine, rows: readonly Row[] }} [ofNetworks] - where they are of another run
 */
export function markdownReport(result, peerTitles, ofNetworks = result) {
  const rows = inOrder(result.rows.filter(({ network }) => network === undefined));
  return [
    "# Speed beside other libraries: all that was measured",
    "",
    "Written by `npm run bench:table` from [bench/results/](../bench/results/); what is measured, and how it stays fair:",
    '[bench/README.md](../bench/README.md). "of ceiling": of what the backend does at best there; "of matmul": beside',
    "divflow's own product at the hidden layers' shape; \\*: scaled from fewer Euler steps. A software adapter stands for",
    "the GPU: its times say nothing of a real one.",
    "",
    ...(rows.length > 0 ? mlpReport({ ...result, rows }, peerTitles) : []),
    ...networkReport(ofNetworks),
  ].join("\n");
}

/** @param {{ machine: Machine, rows: readonly Row[] }} result @param {Titles} titles */
function mlpReport({ machine, rows }, titles) {
  return [
    `On ${circumstances({ machine, rows }, titles)}.`,
    "",
    "```",
    ...textTable(rows, titles).slice(0, -1),
    "```",
    "",
    "## FDM beside CFM",
    "",
    "```",
    ...lossLines(rows),
    "```",
    "",
  ];
}

/** @param {{ machine: Machine, rows: readonly Row[] }} result */
function networkReport({ machine, rows: all }) {
  const rows = inOrder(all.filter(({ network }) => network !== undefined));
  if (rows.length === 0) return [];
  const torch = Object.entries(machine.devices).find(([key]) => key.startsWith("torch "))?.[1];
  return [
    "## Networks",
    "",
    `On ${circumstances({ machine, rows }, torchTitle)}${torch ? ` (${torch})` : ""}. What is measured, and what each column is:`,
    "[bench/README.md](../bench/README.md#networks).",
    "",
    ...networkTables(rows),
    "",
  ];
}

/**
 * What a step of FDM takes beside one of CFM, by contender and width.
 * @param {readonly Row[]} rows
 */
function lossLines(rows) {
  const own = rows.filter(({ implementation, ms }) => implementation === "divflow" && ms !== null);
  const over = (/** @type {Row} */ row, /** @type {string} */ workload, /** @type {string} */ base) => {
    const like = (/** @type {string} */ name) =>
      own.find((other) => other.workload === name && other.width === row.width && isLike(other, row));
    const [above, below] = [like(workload), like(base)];
    return above?.ms && below?.ms ? times(above.ms / below.ms) : "";
  };
  const pairs = [
    ["fdm", "cfm"],
    ["fdm-full", "cfm-full"],
    ["fraction-full", "cfm-full"],
  ];
  const lines = own
    .filter(({ workload }) => workload === "cfm-full")
    .map((row) => [
      `${nameOf(row)}, width ${row.width}`,
      ...pairs.map(([workload, base]) => over(row, /** @type {string} */ (workload), /** @type {string} */ (base))),
    ]);
  const head = ["", "FDM / CFM", "public steps", "on half of the batch, public steps"];
  return lines.length > 0 ? aligned([head, ...lines]) : [];
}

/** Whether two rows are of one network on one contender. @param {Row} a @param {Row} b */
const isLike = (a, b) => a.network === b.network && nameOf(a) === nameOf(b);

/** Machine, adapters, runtimes, versions and date. @param {{ machine: Machine, rows: readonly Row[] }} result @param {Titles} titles */
function circumstances({ machine, rows }, titles) {
  const measured = rows.filter(({ ms }) => ms !== null);
  const versions = [["divflow", "divflow"], ...peersIn(measured, titles).map(([peer, { title }]) => [peer, title])].map(
    ([name, title]) => `${title} ${measured.find(({ implementation }) => implementation === name)?.version ?? ""}`,
  );
  return (
    `${machine.cpu}, ${machine.cores} cores${adapters(machine)}; ${machine.runtimes.join(", ")}; ` +
    `${versions.join(", ")}; ${machine.date}`
  );
}

/** What WebGPU ran on, in divflow's words for it. @param {Machine} machine */
function adapters({ devices }) {
  const named = Object.entries(devices).flatMap(([key, device]) =>
    key.startsWith("divflow ") && key.includes(" webgpu ") ? [device] : [],
  );
  return named.length === 0 ? "" : `, WebGPU on ${[...new Set(named)].join(" and ")}`;
}

/** divflow's rows of a section, by width: of both SIMD builds the faster. @param {typeof sections[number]} section @param {readonly Row[]} rows */
function ownRows({ backend, threads, runtime }, rows) {
  const own = rows.filter(
    (row) =>
      row.implementation === "divflow" &&
      row.workload !== "matmul" &&
      row.backend === backend &&
      row.threads === threads &&
      row.runtime === runtime,
  );
  const faster = byTask(own).map((group) => group.reduce((a, b) => ((a.ms ?? 0) <= (b.ms ?? 0) ? a : b)));
  const order = Object.keys(workloadTitles);
  return faster.sort((a, b) => a.width - b.width || order.indexOf(a.workload) - order.indexOf(b.workload));
}

/** @param {Row} row */
function ownCells({ workload, width, ms, gflops, scaled }) {
  const figure = `${timeText(ms ?? Number.NaN)}${scaled ? "\\*" : ""} (${rateText(gflops ?? Number.NaN)})`;
  return [workloadTitles[workload] ?? workload, String(width), figure];
}

/** Two digits, or all before the point. @param {number} gflops */
const rateText = (gflops) => (gflops >= 100 ? gflops.toFixed(0) : gflops.toPrecision(2));

/** @param {Row} row @param {string} peer @param {readonly Row[]} rows */
function peerCell(row, peer, rows) {
  const other = peerRow(row, peer, rows);
  const ratio = ratioTo(row, peer, rows);
  if (!other || other.ms === null || ratio === undefined) return "";
  const elsewhere = other.runtime === row.runtime ? "" : `, ${runtimeTitles[other.runtime]}`;
  return `${timeText(other.ms)}${other.scaled ? "\\*" : ""} (${times(ratio)}${elsewhere})`;
}

/** @param {readonly string[]} cells */
const tableLine = (cells) => `| ${cells.join(" | ")} |`;

export const markers = { start: "<!-- bench -->", end: "<!-- end of bench -->" };

/**
 * The text with what stands between the markers replaced.
 * @param {string} text @param {string} table
 * @param {{ readonly start: string, readonly end: string }} [places]
 * @throws Error when a marker is missing or they stand the wrong way round.
 */
export function insertTable(text, table, places = markers) {
  const [start, end] = [text.indexOf(places.start), text.indexOf(places.end)];
  if (start < 0 || end < start) throw new Error(`There is no place for the table: ${places.start} and ${places.end}.`);
  return `${text.slice(0, start + places.start.length)}\n\n${table}\n\n${text.slice(end)}`;
}
