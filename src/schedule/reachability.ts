/**
 * Which parts of a DAG reach which, kept up to date while parts are merged and edges are added: what stacking matmuls,
 * fusing chains and ordering state writes all ask before they act, so that none of them ever makes a cycle.
 */

/** Elements are numbered; merged ones answer as one, under the number of their root. */
export class Reachability {
  private readonly parent: Int32Array;
  /** By root: a bit for each root that reaches it. Bits of numbers that are no longer roots mean nothing. */
  private readonly ancestors: Uint32Array[];
  /** By root: elements with an edge to it. */
  private readonly inputs: number[][];

  /** `inputs[i]`: the elements with an edge to element i. They need not come in any order; there must be no cycle. */
  constructor(inputs: readonly (readonly number[])[]) {
    const count = inputs.length;
    this.parent = Int32Array.from({ length: count }, (_, i) => i);
    this.inputs = inputs.map((list) => [...list]);
    this.ancestors = new Array<Uint32Array>(count);
    const words = (count + 31) >>> 5;
    for (const element of elementOrder(inputs)) {
      const reached = new Uint32Array(words);
      for (const input of inputs[element] as readonly number[]) {
        unite(reached, this.ancestors[input] as Uint32Array);
        setBit(reached, input);
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
    return hasBit(this.ancestors[this.root(to)] as Uint32Array, this.root(from));
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
    const [root, ...others] = [...new Set(elements.map((element) => this.root(element)))] as [number, ...number[]];
    const reached = this.ancestors[root] as Uint32Array;
    for (const other of others) {
      unite(reached, this.ancestors[other] as Uint32Array);
      this.parent[other] = root;
    }
    this.inputs[root] = [root, ...others].flatMap((merged) => this.inputs[merged] as number[]);
    clearBit(reached, root);
    for (let element = 0; element < this.parent.length; element++) {
      if (this.parent[element] !== element || element === root) continue;
      const above = this.ancestors[element] as Uint32Array;
      if (!hasBit(above, root) && !others.some((other) => hasBit(above, other))) continue;
      unite(above, reached);
      setBit(above, root);
    }
    return root;
  }

  /** Adds an edge; `to` must not reach `from`. */
  addEdge(from: number, to: number): void {
    const [rootFrom, rootTo] = [this.root(from), this.root(to)];
    if (rootFrom === rootTo) return;
    (this.inputs[rootTo] as number[]).push(rootFrom);
    if (this.reaches(rootFrom, rootTo)) return;
    const reached = this.ancestors[rootFrom] as Uint32Array;
    for (let element = 0; element < this.parent.length; element++) {
      if (this.parent[element] !== element) continue;
      const above = this.ancestors[element] as Uint32Array;
      if (element !== rootTo && !hasBit(above, rootTo)) continue;
      unite(above, reached);
      setBit(above, rootFrom);
    }
  }

  /** Whether a path leads from root `a` through a third part to root `b`. */
  private leadsAround(a: number, b: number): boolean {
    for (const input of this.inputs[b] as number[]) {
      const root = this.root(input);
      if (root !== a && root !== b && hasBit(this.ancestors[root] as Uint32Array, a)) return true;
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

function unite(target: Uint32Array, source: Uint32Array): void {
  for (let word = 0; word < target.length; word++) target[word] = (target[word] as number) | (source[word] as number);
}

const hasBit = (bits: Uint32Array, i: number) => (((bits[i >>> 5] as number) >>> (i & 31)) & 1) === 1;

function setBit(bits: Uint32Array, i: number): void {
  bits[i >>> 5] = (bits[i >>> 5] as number) | (1 << (i & 31));
}

function clearBit(bits: Uint32Array, i: number): void {
  bits[i >>> 5] = (bits[i >>> 5] as number) & ~(1 << (i & 31));
}
