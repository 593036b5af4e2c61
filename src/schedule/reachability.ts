/**
 * Which parts of a DAG reach which, kept up to date while parts are merged and edges are added: what stacking matmuls,
 * fusing chains and ordering state writes all ask before they act, so that none of them ever makes a cycle.
 *
 * Parts have places in an order in which each comes after its inputs (Pearce and Kelly, A Dynamic Topological Sort
 * Algorithm for Directed Acyclic Graphs, 2006): nothing leads from a later place to an earlier one, and a search for a
 * path looks between the places of its ends alone. Where they are far apart a path mostly leads along the longest one of
 * the graph; each part knows where it meets that one, so there nothing is searched.
 */

/** Elements are numbered; merged ones answer as one, under the number of their root. */
export class Reachability {
  private readonly parent: Int32Array;
  /** By root: its place in an order in which each comes after its inputs. No two are equal. */
  private readonly places: Int32Array;
  /** By root: elements with an edge to it, and from it; of its own part too, and some twice. */
  private readonly inputs: number[][];
  private readonly outputs: number[][];
  /** A longest path. */
  private readonly spine: readonly number[];
  /**
   * By root: which element of the spine is the first that it is or reaches, and which the last that it is or that reaches
   * it. Merges may have brought both nearer: they say that there is a path, not that there is none.
   */
  private readonly below: Int32Array;
  private readonly above: Int32Array;
  /** By root: the search that last met it from above, or from below. */
  private readonly metDown: Int32Array;
  private readonly metUp: Int32Array;
  private searches = 0;

  /** `inputs[i]`: the elements with an edge to element i. They need not come in any order; there must be no cycle. */
  constructor(inputs: readonly (readonly number[])[]) {
    const count = inputs.length;
    this.parent = Int32Array.from({ length: count }, (_, i) => i);
    this.metDown = new Int32Array(count);
    this.metUp = new Int32Array(count);
    this.inputs = inputs.map((list) => [...list]);
    this.outputs = inputs.map(() => []);
    const order = elementOrder(inputs);
    const levels = new Int32Array(count); // edges of the longest path to it
    for (const element of order) {
      for (const input of inputs[element] as readonly number[]) {
        (this.outputs[input] as number[]).push(element);
        levels[element] = Math.max(levels[element] as number, (levels[input] as number) + 1);
      }
    }
    // What is as deep lies close together, as do most parts that become one.
    order.sort((a, b) => (levels[a] as number) - (levels[b] as number));
    this.places = placesIn(order);
    this.spine = longestPath(inputs, levels, order);
    [this.above, this.below] = this.nearestOnSpine(order);
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
    const [a, b] = [this.root(from), this.root(to)];
    if (this.placeOf(a) >= this.placeOf(b)) return false;
    return this.meetOnSpine(a, b) || this.leads(a, b, true);
  }

  /** Whether a path leads from one to the other, or they are one. */
  connects(a: number, b: number): boolean {
    return this.root(a) === this.root(b) || this.reaches(a, b) || this.reaches(b, a);
  }

  /** Whether `a` and `b` can become one part: no path leads from one to the other through a third. */
  canMerge(a: number, b: number): boolean {
    const [rootA, rootB] = [this.root(a), this.root(b)];
    if (rootA === rootB) return true;
    const [first, last] = this.inOrder(rootA, rootB);
    return !(this.passesOnSpine(first, last) || this.leads(first, last, false));
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
    if (this.placeOf(rootTo) < this.placeOf(rootFrom)) {
      this.arrange(
        [...this.closest(rootFrom, this.inputs, rootTo), rootFrom],
        [rootTo, ...this.closest(rootTo, this.outputs, rootFrom)],
      );
    }
    (this.inputs[rootTo] as number[]).push(rootFrom);
    (this.outputs[rootFrom] as number[]).push(rootTo);
  }

  private mergeRoots(root: number, other: number): void {
    if (root === other) return;
    const [first, last] = this.inOrder(root, other);
    const behind = this.closest(first, this.outputs, last);
    const before = behind.length > 0 ? this.closest(last, this.inputs, first) : [];
    let place = this.placeOf(behind.length > 0 ? first : last);
    if (before.length > 0) {
      this.arrange([...before, first], [last, ...behind]);
      place = this.placeOf(first);
    }
    this.parent[other] = root;
    this.places[root] = place;
    this.inputs[root] = joined(this.inputs[root] as number[], this.inputs[other] as number[]);
    this.outputs[root] = joined(this.outputs[root] as number[], this.outputs[other] as number[]);
    this.below[root] = Math.min(this.below[root] as number, this.below[other] as number);
    this.above[root] = Math.max(this.above[root] as number, this.above[other] as number);
  }

  private placeOf(root: number): number {
    return this.places[root] as number;
  }

  private inOrder(a: number, b: number): [number, number] {
    return this.placeOf(a) < this.placeOf(b) ? [a, b] : [b, a];
  }

  /** Whether a path leads from root `a` to root `b` behind it; where it is not `direct`, through a third part. */
  private leads(a: number, b: number, direct: boolean): boolean {
    const search = ++this.searches;
    const [first, last] = [this.placeOf(a), this.placeOf(b)];
    const [down, up] = [[a], [b]];
    for (;;) {
      // A step down, then one up: whichever has less to see ends the search.
      const from = down.pop();
      if (from === undefined) return false;
      for (const output of this.outputs[from] as number[]) {
        const root = this.root(output);
        if (root === b && (direct || from !== a)) return true;
        if (root === from || this.placeOf(root) >= last || this.metDown[root] === search) continue;
        if (this.metUp[root] === search || this.meetOnSpine(root, b)) return true;
        this.metDown[root] = search;
        down.push(root);
      }
      const to = up.pop();
      if (to === undefined) return false;
      for (const input of this.inputs[to] as number[]) {
        const root = this.root(input);
        if (root === to || this.placeOf(root) <= first || this.metUp[root] === search) continue;
        if (this.metDown[root] === search || this.meetOnSpine(a, root)) return true;
        this.metUp[root] = search;
        up.push(root);
      }
    }
  }

  /** What `root` leads to, or what leads to it (by `edges`), of what lies between it and `end`; in order. */
  private closest(root: number, edges: readonly number[][], end: number): number[] {
    const search = ++this.searches;
    const [low, high] = this.inOrder(root, end).map((each) => this.placeOf(each)) as [number, number];
    const found: number[] = [];
    const open = [root];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const element of edges[next] as number[]) {
        const other = this.root(element);
        const place = this.placeOf(other);
        if (place <= low || place >= high || this.metDown[other] === search) continue;
        this.metDown[other] = search;
        found.push(other);
        open.push(other);
      }
    }
    return found.sort((a, b) => this.placeOf(a) - this.placeOf(b));
  }

  /** Gives these roots, in this order, the places that they have together. */
  private arrange(before: readonly number[], behind: readonly number[]): void {
    const roots = [...before, ...behind];
    const places = Int32Array.from(roots, (root) => this.placeOf(root)).sort();
    roots.forEach((root, i) => {
      this.places[root] = places[i] as number;
    });
  }

  /** For each element, the last of the spine above it and the first below it, itself included. */
  private nearestOnSpine(order: readonly number[]): [Int32Array, Int32Array] {
    const above = new Int32Array(order.length).fill(-1);
    const below = new Int32Array(order.length).fill(order.length);
    this.spine.forEach((element, i) => {
      above[element] = i;
      below[element] = i;
    });
    for (const element of order) {
      for (const input of this.inputs[element] as number[])
        above[element] = Math.max(above[element] as number, above[input] as number);
    }
    for (const element of [...order].reverse()) {
      for (const output of this.outputs[element] as number[])
        below[element] = Math.min(below[element] as number, below[output] as number);
    }
    return [above, below];
  }

  /** Whether a path leads from root `a` to root `b` by way of the spine; they are not one. */
  private meetOnSpine(a: number, b: number): boolean {
    return (this.below[a] as number) <= (this.above[b] as number);
  }

  /** Whether it leads there through a third part, as far as a look or two can tell. */
  private passesOnSpine(a: number, b: number): boolean {
    const [first, last] = [this.below[a] as number, this.above[b] as number];
    for (let i = first; i <= last && i < first + LOOKS; i++) {
      const root = this.root(this.spine[i] as number);
      if (root !== a && root !== b) return true;
    }
    return false;
  }
}

/** How many elements of the spine are looked at. */
const LOOKS = 8;

/** Of each element, its place in the order. */
function placesIn(order: readonly number[]): Int32Array {
  const places = new Int32Array(order.length);
  order.forEach((element, place) => {
    places[element] = place;
  });
  return places;
}

/** Elements that follow each other, as many as there are levels. */
function longestPath(inputs: readonly (readonly number[])[], levels: Int32Array, order: readonly number[]): number[] {
  const path: number[] = [];
  for (let element = order.at(-1); element !== undefined; ) {
    path.push(element);
    const level = (levels[element] as number) - 1;
    element = (inputs[element] as readonly number[]).find((input) => levels[input] === level);
  }
  return path.reverse();
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
