/** State buffers by name: what a trainer or a model owns on the device, shared by all its programs. */
import type { Backend, NumericArray, StateBuffer } from "../backends/backend.ts";
import type { StateDeclaration } from "../graph/graph.ts";
import { sameShape, sizeOf } from "../graph/node.ts";

/** Values of state on the host, by name: f32 (from the reference backend f64) or u32. */
export type HostState = ReadonlyMap<string, NumericArray>;

interface Entry {
  readonly declaration: StateDeclaration;
  readonly buffer: StateBuffer;
}

export class StateStore {
  readonly backend: Backend;
  readonly #entries = new Map<string, Entry>();

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** Makes sure that every declared state has a buffer; a new one holds zeros. */
  declare(declarations: Iterable<StateDeclaration>): void {
    for (const declaration of declarations) {
      const known = this.#entries.get(declaration.name);
      if (!known) {
        const buffer = this.backend.createState(declaration.name, sizeOf(declaration.shape));
        this.#entries.set(declaration.name, { declaration, buffer });
      } else if (
        known.declaration.dtype !== declaration.dtype ||
        !sameShape(known.declaration.shape, declaration.shape)
      ) {
        throw new RangeError(`state "${declaration.name}" is declared twice, with different shapes or types`);
      }
    }
  }

  /** The buffers of these names, to bind a program to. */
  buffers(names: Iterable<string>): Map<string, StateBuffer> {
    return new Map([...names].map((name) => [name, this.#entry(name).buffer]));
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  declaration(name: string): StateDeclaration {
    return this.#entry(name).declaration;
  }

  write(name: string, values: NumericArray, offset = 0): void {
    this.backend.write(this.#entry(name).buffer, offset, values);
  }

  read(name: string, offset = 0, length?: number): Promise<NumericArray> {
    const { buffer, declaration } = this.#entry(name);
    return this.backend.read(buffer, offset, length ?? buffer.length - offset, declaration.dtype);
  }

  /** Copies of the named states, all of the same moment. */
  async readAll(names: readonly string[]): Promise<Map<string, NumericArray>> {
    const values = await Promise.all(names.map((name) => this.read(name)));
    return new Map(names.map((name, i) => [name, values[i] as NumericArray]));
  }

  dispose(): void {
    for (const { buffer } of this.#entries.values()) buffer.dispose();
    this.#entries.clear();
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (!entry) throw new RangeError(`no state "${name}" in the store`);
    return entry;
  }
}
