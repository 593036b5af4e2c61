/** What lies in an arena: where there is room at some time. */

/** Elements `from` to `to` (not included), needed from position `start` to `end`, both included. */
export interface Resident {
  readonly start: number;
  readonly end: number;
  readonly from: number;
  readonly to: number;
}

/** Residents in the order of their first elements; in plain columns, as each new one looks at all. */
export class Residents {
  private count = 0;
  private starts = new Float64Array(16);
  private ends = new Float64Array(16);
  private froms = new Float64Array(16);
  private tos = new Float64Array(16);

  add({ start, end, from, to }: Resident): void {
    if (this.count === this.starts.length) {
      [this.starts, this.ends, this.froms, this.tos] = [this.starts, this.ends, this.froms, this.tos].map(
        doubled,
      ) as Four;
    }
    let place = this.count++;
    while (place > 0 && (this.froms[place - 1] as number) > from) place--;
    insert(this.starts, place, start);
    insert(this.ends, place, end);
    insert(this.froms, place, from);
    insert(this.tos, place, to);
  }

  /** The start of the smallest gap that fits among those live at the same time; beyond the last if none does. */
  lowestGap({ start, end, size }: { start: number; end: number; size: number }, arena: number): number {
    let best = -1;
    let bestRoom = Number.POSITIVE_INFINITY;
    let free = 0;
    for (let i = 0; i < this.count; i++) {
      if ((this.starts[i] as number) > end || start > (this.ends[i] as number)) continue;
      const room = (this.froms[i] as number) - free;
      if (room >= size && room < bestRoom) {
        best = free;
        bestRoom = room;
      }
      free = Math.max(free, this.tos[i] as number);
    }
    const room = arena - free;
    if (room >= size && room < bestRoom) return free;
    return best >= 0 ? best : free;
  }
}

type Four = [
  Float64Array<ArrayBuffer>,
  Float64Array<ArrayBuffer>,
  Float64Array<ArrayBuffer>,
  Float64Array<ArrayBuffer>,
];

function doubled(values: Float64Array): Float64Array {
  const longer = new Float64Array(2 * values.length);
  longer.set(values);
  return longer;
}

function insert(values: Float64Array, place: number, value: number): void {
  values.copyWithin(place + 1, place, values.length - 1);
  values[place] = value;
}
