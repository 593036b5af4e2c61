/** Operations and numbers of an ONNX graph as they come, each once: equal ones share a name. */
import type { OfRows, Size } from "../trace/plain.ts";
import type { Attribute, Initializer, Operation } from "./model-file.ts";
import { isFixed } from "./sizes.ts";

type Attributes = Readonly<Record<string, Attribute>>;

/** To the end, for what ends an axis. */
const LAST = 2n ** 63n - 1n;

export class Builder {
  /** By their outputs, in their order. */
  readonly #operations = new Map<string, Operation>();
  readonly #initializers: Initializer[] = [];
  readonly #names = new Set<string>();
  /** The next number behind each stem. */
  readonly #counts = new Map<string, number>();
  /** Names of what is there, by what it is. */
  readonly #known = new Map<string, string>();
  readonly #rowsOf: string;

  /**
   * @param rowsOf - an input whose first axis is the rows.
   * @param taken - names of inputs and outputs.
   */
  constructor(rowsOf: string, taken: readonly string[]) {
    this.#rowsOf = rowsOf;
    for (const name of taken) this.#names.add(name);
  }

  /** The output of an operator of the standard set. */
  operation(operator: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.#once(JSON.stringify([operator, inputs, attributes]), () => {
      const output = this.#fresh(operator);
      this.#operations.set(output, { operator, inputs, output, attributes });
      return output;
    });
  }

  /** The same under the name of an output. */
  output(name: string, from: string): void {
    this.#operations.set(name, { operator: "Identity", inputs: [from], output: name, attributes: {} });
  }

  /** The operation whose output this is; undefined for inputs and numbers. */
  madeBy(output: string): Operation | undefined {
    return this.#operations.get(output);
  }

  /** Numbers under a name that begins with this. */
  initializer(stem: string, shape: readonly number[], values: Float32Array | BigInt64Array): string {
    const name = this.#fresh(stem);
    this.#initializers.push({ name, shape, values });
    return name;
  }

  /** An f32 without axes, which broadcasts to any. */
  scalar(value: number): string {
    return this.#once(`f32 ${Object.is(value, -0) ? "-0" : value}`, () =>
      this.initializer("number", [], Float32Array.of(value)),
    );
  }

  /** An int64 without axes. */
  integerScalar(value: number): string {
    return this.#once(`i64 ${value}`, () => this.initializer("integer", [], BigInt64Array.of(BigInt(value))));
  }

  /** A vector of int64. */
  integers(values: readonly (number | bigint)[]): string {
    return this.#once(`i64s ${values.join()}`, () =>
      this.initializer("integers", [values.length], BigInt64Array.from(values, BigInt)),
    );
  }

  /** [2^63 - 1]: past the end of any axis. */
  end(): string {
    return this.integers([LAST]);
  }

  /** A vector of these sizes; those that depend on the rows are computed. */
  sizes(sizes: readonly Size[]): string {
    const parts: string[] = [];
    for (let from = 0; from < sizes.length; ) {
      const size = sizes[from] as Size;
      if (isFixed(size)) {
        const open = sizes.findIndex((each, i) => i > from && !isFixed(each));
        const to = open < 0 ? sizes.length : open;
        parts.push(this.integers(sizes.slice(from, to).filter(isFixed)));
        from = to;
      } else {
        parts.push(this.#openSize(size));
        from++;
      }
    }
    const [only] = parts;
    return only !== undefined && parts.length === 1 ? only : this.operation("Concat", parts, { axis: { int: 0 } });
  }

  /** [perRow rows + plus]. */
  #openSize({ perRow, plus }: OfRows): string {
    const rows = this.operation("Shape", [this.#rowsOf], { start: { int: 0 }, end: { int: 1 } });
    const scaled = perRow === 1 ? rows : this.operation("Mul", [rows, this.integers([perRow])]);
    return plus === 0 ? scaled : this.operation("Add", [scaled, this.integers([plus])]);
  }

  /** All that these outputs need. */
  finish(outputs: readonly string[]): { operations: Operation[]; initializers: Initializer[] } {
    const needed = new Set(outputs);
    const operations = [...this.#operations.values()].reverse().filter(({ output, inputs }) => {
      if (!needed.has(output)) return false;
      for (const input of inputs) needed.add(input);
      return true;
    });
    return {
      operations: operations.reverse(),
      initializers: this.#initializers.filter(({ name }) => needed.has(name)),
    };
  }

  #once(what: string, make: () => string): string {
    const known = this.#known.get(what);
    if (known !== undefined) return known;
    const name = make();
    this.#known.set(what, name);
    return name;
  }

  /** The stem, or with the first number behind it that makes it new. */
  #fresh(stem: string): string {
    const next = this.#counts.get(stem) ?? 0;
    for (let count = next; ; count++) {
      const name = count === 0 ? stem : `${stem}_${count}`;
      this.#counts.set(stem, count + 1);
      if (this.#names.has(name)) continue;
      this.#names.add(name);
      return name;
    }
  }
}
