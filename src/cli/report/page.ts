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

export interface ReportContent {
  readonly title: string;
  /** What was run, in a sentence or two. */
  readonly summary: string;
  readonly pictures: readonly Picture[];
  readonly charts: readonly { readonly title: string; readonly curves: readonly Curve[] }[];
  /** The first row is the head. */
  readonly table: readonly (readonly string[])[];
  /** The run's settings, shown as JSON. */
  readonly config: unknown;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d1b26; --soft: #6b6878; --line: #e3e1ea; --paper: #fbfafd; --card: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eeecf5; --soft: #9d99ad; --line: #332f42; --paper: #14121b; --card: #1c1925; }
}
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 28px; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 18px; margin: 40px 0 12px; }
p { margin: 0; color: var(--soft); max-width: 75ch; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); gap: 20px; margin-top: 24px; }
.charts { grid-template-columns: repeat(auto-fit, minmax(380px, 1fr)); }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px; }
figcaption { font-weight: 600; margin-bottom: 10px; }
figcaption small { display: block; font-weight: 400; color: var(--soft); }
figure img { width: 100%; display: block; border-radius: 6px; image-rendering: pixelated; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
.grid { stroke: var(--line); }
.legend { float: right; font-weight: 400; color: var(--soft); font-size: 14px; }
.legend i { display: inline-block; width: 14px; height: 3px; border-radius: 2px; margin: 0 6px 3px 12px; }
table { border-collapse: collapse; width: 100%; background: var(--card); border: 1px solid var(--line); }
th, td { padding: 9px 14px; text-align: right; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; }
th { font-weight: 600; color: var(--soft); font-size: 14px; }
pre { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px; font-size: 13px; }
`;

export function page(content: ReportContent): string {
  const [head = [], ...rows] = content.table;
  const cells = (row: readonly string[], tag: string) =>
    row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join("");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(content.title)}</title><style>${STYLE}</style></head><body><main>
<h1>${escapeHtml(content.title)}</h1><p>${escapeHtml(content.summary)}</p>
<div class="row">${content.pictures
    .map(
      ({ title, note, pixels, size }) =>
        `<figure><figcaption>${escapeHtml(title)}<small>${escapeHtml(note)}</small></figcaption>` +
        `<img src="${dataUri(pixels, size)}" alt="${escapeHtml(`${title}: ${note}`)}"></figure>`,
    )
    .join("")}</div>
<h2>Result</h2><table><thead><tr>${cells(head, "th")}</tr></thead><tbody>${rows
    .map((row) => `<tr>${cells(row, "td")}</tr>`)
    .join("")}</tbody></table>
<h2>Losses</h2><div class="row charts">${content.charts.map(({ title, curves }) => chart(title, curves)).join("")}</div>
<h2>Settings</h2><pre>${escapeHtml(JSON.stringify(content.config, null, 2))}</pre>
</main></body></html>
`;
}
