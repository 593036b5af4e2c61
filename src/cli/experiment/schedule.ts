/** How long the whole of an experiment still takes, from how long its tasks took so far. */

export interface Task {
  /** Tasks of one kind take equal seconds for equal work, such as trainings by one loss. */
  readonly kind: string;
  /** In steps of CFM, roughly: what it takes beside the others while no time of its kind is known. */
  readonly work: number;
}

interface Seen {
  readonly work: number;
  readonly seconds: number;
}

export class Schedule {
  readonly #tasks: readonly Task[];
  readonly #now: () => number;
  readonly #seen = new Map<string, Seen>();
  #at = -1;
  #start = 0;
  /** Shares of the task at hand: done, and of it what took no time now. */
  #done = 0;
  #skipped = 0;

  /** @param tasks - in the order they are done in. */
  constructor(tasks: readonly Task[], now = () => performance.now()) {
    this.#tasks = tasks;
    this.#now = now;
  }

  /** The next task begins. */
  begin(): void {
    this.#at++;
    [this.#done, this.#skipped, this.#start] = [0, 0, this.#now()];
  }

  /** The task at hand has come so far, from 0 to 1. */
  reach(done: number): void {
    this.#done = Math.min(1, Math.max(this.#done, done));
  }

  /** It has come so far without taking time: an earlier process did that. */
  skip(done: number): void {
    const before = this.#done;
    this.reach(done);
    this.#skipped += this.#done - before;
  }

  /** The task at hand is done. */
  end(): void {
    this.reach(1);
    this.#see(this.#here());
    this.#start = this.#now();
    this.#skipped = 1;
  }

  /** The next task was done by an earlier process, in so many seconds, where that is known. */
  pass(seconds?: number): void {
    this.begin();
    this.skip(1);
    if (seconds !== undefined) this.#see({ work: this.#task.work, seconds });
  }

  /** Seconds left of all tasks; undefined where none has taken any yet. */
  get left(): number | undefined {
    const seen = new Map(this.#seen);
    if (this.#at >= 0 && this.#done > this.#skipped) {
      const before = seen.get(this.#task.kind);
      const here = this.#here();
      seen.set(this.#task.kind, before ? sum([before, here]) : here);
    }
    const all = sum([...seen.values()]);
    if (!(all.work > 0) || !(all.seconds > 0)) return undefined;
    const secondsOf = ({ kind, work }: Task) => {
      const own = seen.get(kind) ?? all;
      return (work * own.seconds) / own.work;
    };
    const later = this.#tasks.slice(this.#at + 1).reduce((seconds, task) => seconds + secondsOf(task), 0);
    return later + (this.#at < 0 ? 0 : (1 - this.#done) * secondsOf(this.#task));
  }

  get #task(): Task {
    return this.#tasks[this.#at] as Task;
  }

  /** What of the task at hand took time in this process. */
  #here(): Seen {
    return { work: this.#task.work * (this.#done - this.#skipped), seconds: (this.#now() - this.#start) / 1000 };
  }

  #see(one: Seen): void {
    if (!(one.work > 0)) return;
    const before = this.#seen.get(this.#task.kind);
    this.#seen.set(this.#task.kind, before ? sum([before, one]) : one);
  }
}

function sum(all: readonly Seen[]): Seen {
  return all.reduce((a, b) => ({ work: a.work + b.work, seconds: a.seconds + b.seconds }), { work: 0, seconds: 0 });
}
