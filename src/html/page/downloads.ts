/** Samples as files. */
import { writeCsv, writeNpy } from "../../data.ts";
import type { ConditionsGiven } from "../../engine/model-api.ts";
import type { DrawnSamples } from "./samples.ts";

/** What samples were told, one number or name for each of them, by the condition's name. */
export type ToldColumns = readonly (readonly [name: string, values: readonly number[]])[];

/** As CSV: samples, and behind them what each was told, where that is one number. */
export function csvOf({ values, count, dimension, columns }: DrawnSamples, told: ToldColumns): Uint8Array {
  const width = dimension + told.length;
  const size = count * width;
  const table = values instanceof Float64Array ? new Float64Array(size) : new Float32Array(size);
  for (let i = 0; i < count; i++) {
    table.set(values.subarray(i * dimension, (i + 1) * dimension), i * width);
    for (const [k, [, each]] of told.entries()) table[i * width + dimension + k] = each[i] as number;
  }
  const names = told.map(([name]) => (columns.includes(name) ? `${name}_` : name));
  return writeCsv(table, [count, width], [...columns, ...names]);
}

export function npyOf({ values, count, shape }: DrawnSamples): Uint8Array {
  return writeNpy(values, [count, ...shape]);
}

/** What is told as one number each. */
export function toldColumns(conditions: ConditionsGiven | undefined, count: number): ToldColumns {
  return Object.entries(conditions ?? {}).flatMap(([name, given]) => {
    if (typeof given === "number") return [[name, new Array<number>(count).fill(given)] as const];
    if (!Array.isArray(given)) return [];
    const numbers = given as readonly number[];
    if (numbers.length === count) return [[name, numbers] as const];
    return numbers.length === 1 ? [[name, new Array<number>(count).fill(numbers[0] as number)] as const] : [];
  });
}

/** Hands a file to whoever reads the page. */
export function saveAs(name: string, bytes: Uint8Array, type: string): void {
  const link = document.createElement("a");
  link.download = name;
  link.href = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // not before the browser has read it
}
