/** Pieces of the report's page that several of its parts are made of. */
import { printable } from "../../errors.ts";

/** Text for a page, of which nothing is taken for an element, nor turns round what follows. */
export function escapeHtml(text: string): string {
  return text
    .replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => printable(character))
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export interface Table {
  /** What a screen reader calls it. */
  readonly name: string;
  /** The first row is the head, the first column the rows' names. */
  readonly rows: readonly (readonly string[])[];
  /** Class of each row below the head, for its colour. */
  readonly styles?: readonly string[];
  /** Whether the head's cells may take several lines, where there are many or long ones; default false. */
  readonly wraps?: boolean;
  /** Whether its cells are words, which take several lines; default false. */
  readonly texts?: boolean;
}

/**
 * A table that on a narrow page becomes a list, so that nothing need be scrolled sideways. The roles are those that its
 * elements have anyway, until a style sheet lays them out as something else.
 */
export function tableOf({ name, rows, styles = [], wraps = false, texts = false }: Table): string {
  const [head = [], ...body] = rows.map((row) =>
    row.map((cell) => escapeHtml(cell.replace(/(?<![\w-])-(?=\d)/g, "−"))),
  );
  const headings = head.map((cell) => `<th scope="col" role="columnheader">${cell}</th>`).join("");
  const line = ([first = "", ...cells]: readonly string[], number: number) => {
    const values = cells.map((cell, i) => {
      const label = `<span class="label" aria-hidden="true">${head[i + 1]}</span>`;
      return `<td role="cell"${cell === "" ? ' class="none"' : ""}>${label}<span>${cell}</span></td>`;
    });
    return `<tr role="row"><th scope="row" role="rowheader" class="${styles[number] ?? ""}">${first}</th>${values.join("")}</tr>`;
  };
  const classes = [wraps ? "wraps" : "", texts ? "texts" : ""].filter(Boolean).join(" ");
  return (
    `<table role="table"${classes === "" ? "" : ` class="${classes}"`} aria-label="${escapeHtml(name)}"><thead role="rowgroup"><tr role="row">${headings}</tr></thead>` +
    `<tbody role="rowgroup">${body.map(line).join("")}</tbody></table>`
  );
}

/** A name and the class of its colour, for legends. */
export interface Key {
  readonly title: string;
  readonly style: string;
}

export function legendOf(keys: readonly Key[]): string {
  return `<span class="legend">${keys.map(({ title, style }) => `<span class="${style}">${escapeHtml(title)}</span>`).join("")}</span>`;
}

export function figureOf(title: string, note: string, keys: readonly Key[], content: string): string {
  return (
    `<figure class="card"><figcaption><span>${escapeHtml(title)}</span>${note ? `<small>${escapeHtml(note)}</small>` : ""}` +
    `${keys.length > 0 ? legendOf(keys) : ""}</figcaption>${content}</figure>`
  );
}
