/** What the values of a program are called in the labels of its calls. */
import { type Cell, extentOf, rootView, type View } from "./cells.ts";

/** States by their names, with a prime for the new value; temporaries as t1, t2, ... in the order they are asked for. */
export class Names {
  private readonly temporaries = new Map<Cell, string>();

  /** "t3", or with the elements it takes of it "t3[64..128]", "t3[1..12 by 3]", "t3[1..12 2 by 3]". */
  of(view: View): string {
    const { cell, offset, ...elements } = rootView(view);
    const { length, stride, width = 1 } = elements;
    const name = this.ofCell(cell);
    if (length === cell.size) return name;
    const end = offset + extentOf({ offset, ...elements });
    return `${name}[${offset}..${end}${stride === 1 ? "" : ` ${width > 1 ? `${width} ` : ""}by ${stride}`}]`;
  }

  /** All of them; parts that are the whole together by its name alone. */
  list(views: readonly View[]): string {
    const parts = new Map<Cell, Map<string, View>>(); // none twice
    for (const view of views) {
      const { cell } = rootView(view);
      const known = parts.get(cell) ?? new Map<string, View>();
      parts.set(cell, known.set(this.of(view), view));
    }
    const named = [...parts].map(([cell, found]) => {
      const covered = [...found.values()].reduce((total, { length }) => total + length, 0);
      return covered === cell.size ? this.ofCell(cell) : [...found.keys()].join(", ");
    });
    return named.join(", ");
  }

  private ofCell(cell: Cell): string {
    const origin = cell.boundTo ?? cell.origin;
    if (origin) return "name" in origin ? `${origin.name}${cell.boundTo ? "'" : ""}` : "constants";
    const name = this.temporaries.get(cell) ?? `t${this.temporaries.size + 1}`;
    this.temporaries.set(cell, name);
    return name;
  }
}
