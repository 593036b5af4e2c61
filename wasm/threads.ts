/**
 * How threads share a call. Thread 0 opens a job, a number of units; it and the workers claim units until there are
 * none, and thread 0 goes on when all are complete. It waits for no worker that holds no unit: one that the system
 * has put aside delays nobody. Which thread does which unit is chance; what a unit computes is not.
 *
 * Workers look for a job for a while and then sleep; thread 0 sleeps only where it may (a page's main thread may not).
 * One thread alone needs none of this, and a memory that is not shared has no other thread: then nothing here waits.
 */

@unmanaged
class Control {
  /** Low word: the next unit, or CLOSED. High word: a number that changes with each job; sleepers wait for that. */
  next: u64;
  complete: u32;
  sleepers: u32;
  /** 1 while thread 0 sleeps until `complete` changes. */
  isWaiting: u32;
  /** 1: workers leave. src/backends/wasm/threads.ts writes this and the next. */
  stop: u32;
  /** 1: a worker has failed. */
  failed: u32;
}

/** Where the job is described: on a cache line of its own. */
const JOB: usize = 64;
/** No units can be claimed: the job is being described. */
const CLOSED: u32 = 0xffffffff;
/** Looks at a word of memory before a thread sleeps: some 50 microseconds. */
const LOOKS: u32 = 20000;
/** Nanoseconds after which thread 0 looks whether a worker has failed. */
const PATIENCE: i64 = 100_000_000;

// @ts-ignore: decorator
@inline
function at(control: usize, offset: usize): usize {
  return control + offset;
}

export function jobOf(control: usize): usize {
  return control + JOB;
}

/** Thread 0: the job may be described now. No unit of the last one is open. */
export function close(control: usize): void {
  const number = load<u32>(at(control, 4)) + 1;
  atomic.store<u64>(control, (<u64>number << 32) | CLOSED);
  atomic.store<u32>(at(control, offsetof<Control>("complete")), 0);
}

/** Thread 0: units of the job may be claimed. */
export function open(control: usize): void {
  const number = load<u32>(at(control, 4)) + 1;
  atomic.store<u64>(control, <u64>number << 32);
  if (atomic.load<u32>(at(control, offsetof<Control>("sleepers")))) atomic.notify(at(control, 4), -1);
}

/**
 * The next unit of the open job; -1 when there is none. `units`: the address of their number, which belongs to the
 * job if the exchange succeeds: it is written only while the job is closed.
 */
export function claim(control: usize, units: usize): i32 {
  while (true) {
    const next = atomic.load<u64>(control);
    const unit = <u32>next;
    if (unit == CLOSED || unit >= load<u32>(units)) return -1;
    if (atomic.cmpxchg<u64>(control, next, next + 1) == next) return unit;
  }
}

/** A claimed unit is done. */
export function complete(control: usize): void {
  const address = at(control, offsetof<Control>("complete"));
  atomic.add<u32>(address, 1);
  if (atomic.load<u32>(at(control, offsetof<Control>("isWaiting")))) atomic.notify(address, 1);
}

/** Thread 0: until all units are done. False when a worker has failed. */
export function waitForAll(control: usize, units: u32, mayWait: bool): bool {
  const address = at(control, offsetof<Control>("complete"));
  let looks: u32 = 0;
  while (true) {
    const done = atomic.load<u32>(address);
    if (done == units) return true;
    if (atomic.load<u32>(at(control, offsetof<Control>("failed")))) return false;
    if (!mayWait || ++looks < LOOKS) continue;
    atomic.store<u32>(at(control, offsetof<Control>("isWaiting")), 1);
    atomic.wait<i32>(address, done, PATIENCE);
    atomic.store<u32>(at(control, offsetof<Control>("isWaiting")), 0);
    looks = 0;
  }
}

/** A worker: until there may be a unit to claim. False when it is to leave. */
export function waitForWork(control: usize, units: usize): bool {
  let looks: u32 = 0;
  while (true) {
    const number = atomic.load<u32>(at(control, 4));
    if (atomic.load<u32>(at(control, offsetof<Control>("stop")))) return false;
    if (hasUnits(control, units)) return true;
    if (++looks < LOOKS) continue;
    atomic.add<u32>(at(control, offsetof<Control>("sleepers")), 1);
    if (!hasUnits(control, units)) atomic.wait<i32>(at(control, 4), number, -1);
    atomic.sub<u32>(at(control, offsetof<Control>("sleepers")), 1);
    looks = 0;
  }
}

function hasUnits(control: usize, units: usize): bool {
  const unit = <u32>atomic.load<u64>(control);
  return unit != CLOSED && unit < load<u32>(units);
}
