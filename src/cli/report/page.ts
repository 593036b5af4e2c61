/** The report of a comparison as one HTML page: no other file, no network, opens from disk. */
import { type Curve, chart } from "./curves.ts";
import { dataUri } from "./density.ts";

export interface Picture {
  readonly title: string;
  readonly note: string;
  /** RGB, [size, size, 3]. */
  readonly pixels: Uint8Array;
  readonly size: number;
}

export interface Table {
  /** The first row is the head, the first column the rows' names. */
  readonly rows: readonly (readonly string[])[];
  readonly note: string;
}

export interface ReportContent {
  readonly title: string;
  /** What was run, in a sentence or two. */
  readonly summary: string;
  readonly pictures: readonly Picture[];
  readonly table: Table;
  readonly charts: readonly { readonly title: string; readonly note: string; readonly curves: readonly Curve[] }[];
  /** Names and values. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** The same and all else, as JSON. */
  readonly config: unknown;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root {
  color-scheme: light dark;
  --ink: #1d1b26; --soft: #625f70; --line: #e3e1ea; --paper: #fbfafd; --card: #fff; --cfm: #2f7df0; --fdm: #d9303a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #eeecf5; --soft: #a8a4b8; --line: #332f42; --paper: #14121b; --card: #1c1925; --cfm: #6aa6ff; --fdm: #ff737a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 8px; letter-spacing: -0.02em; }
h2 { font-size: 19px; margin: 40px 0 14px; }
p { margin: 0; color: var(--soft); max-width: 72ch; }
.row { display: grid; gap: 18px; grid-template-columns: repeat(auto-fit, minmax(min(150px, 100%), 1fr)); }
.row.pictures { margin-top: 24px; }
.row.charts { grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); }
.card { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px; }
figcaption { display: grid; grid-template-columns: 1fr auto; font-weight: 600; margin-bottom: 10px; }
small { grid-row: 2; grid-column: 1 / -1; font-size: 14px; font-weight: 400; color: var(--soft); }
img { width: 100%; display: block; border-radius: 6px; image-rendering: pixelated; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 13px system-ui, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
.step { text-anchor: middle; }
.step[text-anchor] { text-anchor: end; }
.grid { stroke: var(--line); }
.curve { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
.curve.cfm { stroke-width: 6; opacity: 0.45; } /* seen under the other, which is close to it */
.judged { stroke: currentColor; stroke-width: 1.5; stroke-dasharray: 5 5; }
.cfm { color: var(--cfm); }
.fdm { color: var(--fdm); }
.legend { display: flex; gap: 14px; font-size: 14px; }
.legend span::before { content: ""; display: inline-block; width: 16px; height: 3px; border-radius: 2px;
  background: currentColor; margin-right: 6px; vertical-align: middle; }
.scroll { overflow-x: auto; padding: 4px 14px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 9px 12px; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
thead th { border-top: 0; font-size: 14px; color: var(--soft); white-space: normal; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
th { font-weight: 600; }
.note { font-size: 14px; margin-top: 10px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 20px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--soft); margin-top: 14px; font-size: 14px; }
pre { overflow-x: auto; font-size: 13px; margin: 10px 0 0; }
footer { margin-top: 40px; font-size: 14px; color: var(--soft); }
@media (max-width: 560px) {
  main { padding: 24px 16px 40px; }
  th, td { padding: 8px 2px; font-size: 11.5px; }
  thead th { font-size: 11.5px; }
  .pictures small { min-height: 3em; }
  tbody th { white-space: normal; }
  .card { padding: 10px; }
  .scroll { padding: 2px 8px; }
  svg text { font-size: 20px; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 8px; }
}
`;

export function page({ title, summary, pictures, table, charts, settings, config }: ReportContent): string {
  const heading = escapeHtml(title);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>divflow: ${heading}</title><style>${STYLE}</style></head><body><main>
<h1>${heading}</h1><p>${escapeHtml(summary)}</p>
${pictures.length > 0 ? `<div class="row pictures">${pictures.map(pictureFigure).join("")}</div>` : ""}
<h2>Result</h2>${resultSection(table)}
<h2>Losses</h2><div class="row charts">${charts.map(({ title: name, note, curves }) => chart(name, note, curves)).join("")}</div>
<h2>Settings</h2><div class="card"><dl>${settings
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`)
    .join("")}</dl>
<details><summary>all as JSON</summary><pre>${escapeHtml(JSON.stringify(config, null, 2))}</pre></details></div>
</main></body></html>
`;
}

function pictureFigure({ title, note, pixels, size }: Picture): string {
  const alternative = escapeHtml(`${title}: ${note}`);
  return (
    `<figure class="card"><figcaption>${escapeHtml(title)}<small>${escapeHtml(note)}</small></figcaption>` +
    `<img src="${dataUri(pixels, size)}" alt="${alternative}"></figure>`
  );
}

function resultSection({ rows, note }: Table): string {
  const [head = [], ...body] = rows;
  const line = ([name = "", ...cells]: readonly string[]) =>
    `<tr><th scope="row" class="${name.toLowerCase().replace(/\W+/g, "-")}">${escapeHtml(name)}</th>` +
    `${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`;
  return (
    `<div class="card scroll"><table><thead><tr>${head.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join("")}` +
    `</tr></thead><tbody>${body.map(line).join("")}</tbody></table></div><p class="note">${escapeHtml(note)}</p>`
  );
}
