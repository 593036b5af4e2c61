/** What a simulator's text computes with while it runs. */

export type Value = number | boolean | readonly Value[];

/** Random numbers, as the library gives them to simulators. */
export interface Random {
  uniform(): number;
  normal(): number;
}

/** One run: the variables by their places, and how often loops turned. */
export interface Frame {
  readonly slots: Value[];
  readonly random: Random;
  turns: number;
}

export type Run = (frame: Frame) => Value;

/** Names that can be seen, each with its place in a frame. */
export class Scope {
  readonly #names = new Map<string, { readonly place: number; readonly isConstant: boolean }>();
  readonly #outer: Scope | undefined;
  readonly #counter: { places: number };

  constructor(outer?: Scope) {
    this.#outer = outer;
    this.#counter = outer ? outer.#counter : { places: 0 };
  }

  /** Undefined where this very scope has the name. */
  declare(name: string, isConstant: boolean): number | undefined {
    if (this.#names.has(name)) return undefined;
    const place = this.#counter.places++;
    this.#names.set(name, { place, isConstant });
    return place;
  }

  find(name: string): { readonly place: number; readonly isConstant: boolean } | undefined {
    return this.#names.get(name) ?? this.#outer?.find(name);
  }

  /** Places of all scopes together, so far. */
  get places(): number {
    return this.#counter.places;
  }

  /** All that are seen from here. */
  get names(): readonly string[] {
    return [...this.#names.keys(), ...(this.#outer?.names ?? [])];
  }
}
