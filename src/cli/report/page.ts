/** Reports as one HTML page each: no other file, no network, opens from disk. */
import { type Curve, chart } from "./curves.ts";
import { escapeHtml, type Table, tableOf } from "./html.ts";
import { STYLE } from "./style.ts";

export interface ReportContent {
  readonly title: string;
  /** What was run, in a sentence or two. */
  readonly summary: string;
  /** What came out, a sentence each; `style` is the class of the winner's colour. */
  readonly verdicts: readonly { readonly text: string; readonly style: string }[];
  /** Pictures of data and models, as HTML: what is seen at once, and what takes room. */
  readonly pictures: string;
  readonly columns: string;
  readonly results: Table & { readonly note: string };
  readonly charts: readonly { readonly title: string; readonly note: string; readonly curves: readonly Curve[] }[];
  readonly chartsNote: string;
  readonly data: Table & { readonly note: string };
  /** Names and values. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** The same and all else, as JSON. */
  readonly config: unknown;
  /** What made the page, and when. */
  readonly footer: string;
}

export function page(content: ReportContent): string {
  const charts = content.charts.map(({ title, note, curves }) => chart(title, note, curves)).join("");
  return documentOf(
    content.title,
    `<p>${escapeHtml(content.summary)}</p>
${content.verdicts.map(verdictOf).join("\n")}
${content.pictures}
<h2>Result</h2>${tableSection(content.results)}
${charts === "" ? "" : `<h2>Training</h2><p>${escapeHtml(content.chartsNote)}</p><div class="row charts">${charts}</div>`}
${content.columns}
<h2>Data</h2>${tableSection(content.data)}
<h2>Settings</h2>${settingsOf(content.settings, content.config)}`,
    content.footer,
  );
}

/** A page of this body, which is HTML, under its title. */
export function documentOf(title: string, body: string, footer: string): string {
  const heading = escapeHtml(title);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>divflow: ${heading}</title><style>${STYLE}</style></head><body><main>
<h1>${heading}</h1>${body}
</main><footer>${escapeHtml(footer)}</footer></body></html>
`;
}

/** What came out, without a full stop; `style` is the class of the winner's colour. */
export function verdictOf({ text, style }: { readonly text: string; readonly style: string }): string {
  return `<p class="verdict ${style}"><span>${escapeHtml(text)}.</span></p>`;
}

/** Names and values, and below them all as JSON. */
export function settingsOf(settings: ReportContent["settings"], config: unknown): string {
  const listed = settings.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<div class="card"><dl>${listed.join("")}</dl>
<details><summary>all as JSON</summary><pre>${escapeHtml(JSON.stringify(config, null, 2))}</pre></details></div>`;
}

export function tableSection({ note, ...table }: Table & { readonly note: string }): string {
  return `<div class="card">${tableOf(table)}</div>${note === "" ? "" : `<p class="note">${escapeHtml(note)}</p>`}`;
}
