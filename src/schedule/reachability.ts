/**
 * Which parts of a DAG reach which, kept up to date while parts are merged and edges are added: what stacking matmuls,
 * fusing chains and ordering state writes all ask before they act, so that none of them ever makes a cycle.
 */

/** Elements are numbered; merged ones answer as one, under the number of their root. */
export class Reachability {
  private readonly parent: Int32Array;
  /** Of each element, its place in an order in which each comes after its inputs: what reaches one lies close together. */
  private readonly places: Int32Array;
  /** By root: the places of the roots that reach it. Those of elements that are no longer roots mean nothing. */
  private readonly ancestors: Uint32Array[];
  /** By root: elements with an edge to it, and from it. */
  private readonly inputs: number[][];
  private readonly outputs: number[][];

  /** `inputs[i]`: the elements with an edge to element i. They need not come in any order; there must be no cycle. */
  constructor(inputs: readonly (readonly number[])[]) {
    const count = inputs.length;
    this.parent = Int32Array.from({ length: count }, (_, i) => i);
    this.inputs = inputs.map((list) => [...list]);
    this.outputs = inputs.map(() => []);
    this.ancestors = new Array<Uint32Array>(count);
    this.places = new Int32Array(count);
    for (const [place, element] of elementOrder(inputs).entries()) {
      this.places[element] = place;
      const reached = new Uint32Array((count + 31) >>> 5);
      for (const input of inputs[element] as readonly number[]) {
        (this.outputs[input] as number[]).push(element);
        unite(reached, this.ancestors[input] as Uint32Array);
        setBit(reached, this.places[input] as number);
      }
      this.ancestors[element] = reached;
    }
  }

  /** The number under which `element` answers. */
  root(element: number): number {
    let root = element;
    while (this.parent[root] !== root) root = this.parent[root] as number;
    while (this.parent[element] !== root) {
      const next = this.parent[element] as number;
      this.parent[element] = root;
      element = next;
    }
    return root;
  }

  /** Whether a path of at least one edge leads from `from` to `to`. */
  reaches(from: number, to: number): boolean {
    return this.isAbove(this.root(from), this.root(to));
  }

  /** Whether a path leads from one to the other, or they are one. */
  connects(a: number, b: number): boolean {
    return this.root(a) === this.root(b) || this.reaches(a, b) || this.reaches(b, a);
  }

  /** Whether `a` and `b` can become one part: no path leads from one to the other through a third. */
  canMerge(a: number, b: number): boolean {
    const [rootA, rootB] = [this.root(a), this.root(b)];
    return rootA === rootB || !(this.leadsAround(rootA, rootB) || this.leadsAround(rootB, rootA));
  }

  /** Makes one part of these, any two of which `canMerge`; returns its root. */
  merge(...elements: readonly number[]): number {
    const [first, ...others] = elements as [number, ...number[]];
    const root = this.root(first);
    for (const other of others) this.mergeRoots(root, this.root(other));
    return root;
  }

  /** Adds an edge; `to` must not reach `from`. */
  addEdge(from: number, to: number): void {
    const [rootFrom, rootTo] = [this.root(from), this.root(to)];
    if (rootFrom === rootTo) return;
    (this.inputs[rootTo] as number[]).push(rootFrom);
    (this.outputs[rootFrom] as number[]).push(rootTo);
    const reached = this.ancestors[rootFrom] as Uint32Array;
    this.spread([rootTo], (element) => {
      if (this.isAbove(rootFrom, element)) return false; // and above all behind it
      unite(this.ancestors[element] as Uint32Array, reached);
      setBit(this.ancestors[element] as Uint32Array, this.places[rootFrom] as number);
      return true;
    });
  }

  /** What is behind either gets what is above the other; what is behind both has it already, and so has all behind that. */
  private mergeRoots(root: number, other: number): void {
    if (root === other) return;
    const [above, aboveOther] = [this.ancestors[root] as Uint32Array, this.ancestors[other] as Uint32Array];
    const reached = above.slice();
    unite(reached, aboveOther);
    const [gained, gainedByOther] = [difference(reached, above), difference(reached, aboveOther)];
    clearBit(reached, this.places[root] as number);
    const starts = [...(this.outputs[root] as number[]), ...(this.outputs[other] as number[])];
    this.parent[other] = root;
    this.ancestors[root] = reached;
    this.ancestors[other] = reached; // nobody asks: its own can go
    this.inputs[root] = joined(this.inputs[root] as number[], this.inputs[other] as number[]);
    this.outputs[root] = joined(this.outputs[root] as number[], this.outputs[other] as number[]);
    this.spread(starts, (element) => {
      const [hasRoot, hasOther] = [this.isAbove(root, element), this.isAbove(other, element)];
      if (element === root || (hasRoot && hasOther)) return false;
      const reachedBy = this.ancestors[element] as Uint32Array;
      for (const [word, bits] of hasRoot ? gained : gainedByOther) reachedBy[word] = (reachedBy[word] as number) | bits;
      setBit(reachedBy, this.places[root] as number);
      setBit(reachedBy, this.places[other] as number);
      return true;
    });
  }

  /** Visits roots behind these, going on from those for which `visit` says so. */
  private spread(from: readonly number[], visit: (root: number) => boolean): void {
    const open = [...from];
    for (let element = open.pop(); element !== undefined; element = open.pop()) {
      const root = this.root(element);
      if (visit(root)) for (const output of this.outputs[root] as number[]) open.push(output);
    }
  }

  /** Whether a path leads from root `a` to root `b`. */
  private isAbove(a: number, b: number): boolean {
    return hasBit(this.ancestors[b] as Uint32Array, this.places[a] as number);
  }

  /** Whether a path leads from root `a` through a third part to root `b`. */
  private leadsAround(a: number, b: number): boolean {
    if (!this.isAbove(a, b)) return false;
    for (const input of this.inputs[b] as number[]) {
      const root = this.root(input);
      if (root !== a && root !== b && this.isAbove(a, root)) return true;
    }
    return false;
  }
}

/** The elements, each after its inputs; among those that are free to come, lower numbers first. */
export function elementOrder(inputs: readonly (readonly number[])[]): number[] {
  const order: number[] = [];
  const state = new Uint8Array(inputs.length); // 0 unseen, 1 open, 2 done
  for (let start = 0; start < inputs.length; start++) {
    const stack = [start];
    while (stack.length > 0) {
      const element = stack[stack.length - 1] as number;
      if (state[element] === 2) {
        stack.pop();
      } else if (state[element] === 1) {
        state[element] = 2;
        order.push(element);
        stack.pop();
      } else {
        state[element] = 1;
        const list = inputs[element] as readonly number[];
        for (let i = list.length - 1; i >= 0; i--) {
          if (state[list[i] as number] === 0) stack.push(list[i] as number);
        }
      }
    }
  }
  return order;
}

/** All of both, in the longer list. */
function joined(a: number[], b: number[]): number[] {
  const [shorter, longer] = a.length < b.length ? [a, b] : [b, a];
  for (const element of shorter) longer.push(element);
  return longer;
}

function unite(target: Uint32Array, source: Uint32Array): void {
  for (let word = 0; word < target.length; word++) target[word] = (target[word] as number) | (source[word] as number);
}

/** The words of a set that differ from those of another, with their numbers. */
function difference(bits: Uint32Array, others: Uint32Array): (readonly [word: number, bits: number])[] {
  const words: [number, number][] = [];
  bits.forEach((value, word) => {
    if (value !== others[word]) words.push([word, value]);
  });
  return words;
}

const hasBit = (bits: Uint32Array, i: number) => (((bits[i >>> 5] as number) >>> (i & 31)) & 1) === 1;

function setBit(bits: Uint32Array, i: number): void {
  bits[i >>> 5] = (bits[i >>> 5] as number) | (1 << (i & 31));
}

function clearBit(bits: Uint32Array, i: number): void {
  bits[i >>> 5] = (bits[i >>> 5] as number) & ~(1 << (i & 31));
}
