/**
 * The module. `run` runs a program's list of calls, on this thread and those that are in `work`; nothing in here
 * allocates, and all state is in memory that the caller (src/backends/wasm/backend.ts) hands out:
 *
 *   calls     { kernel, parameters, chain, packed } each: the parameters' struct (src/kernels), the chain's tables
 *             (elementwise.ts), and the place of a product's right operand that is packed once for all times, by
 *             address, 0 where there is none
 *   control   what threads share (threads.ts)
 *   scratch   that all threads share, then each thread's own
 */
import {
  attentionIsLarge, attentionReverseUnit, attentionThreadBytes, attentionUnit, attentionUnits,
} from "./attention";
import { copy } from "./copy";
import { countOf, runChain, stepsOf, unitOf } from "./elementwise";
import {
  linearIsLarge, linearSharedBytes, linearThreadBytes, linearUnit, linearUnits, packUnit, packUnits,
} from "./linear";
import { matmulEachIsLarge, matmulEachThreadBytes, matmulEachUnit, matmulEachUnits } from "./matmul-each";
import { random } from "./random";
import { REDUCE_BYTES, reduceChunks, reduceHasChunks, reduceUnit, reduceUnits } from "./reduce";
import { gather, replaceRow, scatterAdd } from "./rows";
import { finishSums, unitsOfChain } from "./sums";
import { claim, close, complete, jobOf, open, waitForAll, waitForWork } from "./threads";
import { ALL } from "./variant";

const enum Kernel {
  attention, attentionReverse, copy, elementwise, gather, linear, matmulEach, random, reduce, replaceRow, scatterAdd,
  /** The end of sums that a chain has begun: src/backends/wasm/chain-sums.ts makes such calls. */
  sums,
}

/** What a unit is of: kernels that threads share, and `linear`'s preparation. */
const enum Work { attention, attentionReverse, elementwise, linear, matmulEach, pack, reduce }

@unmanaged
class Call {
  kernel: u32;
  parameters: usize;
  chain: usize;
  packed: usize;
}

/** What a thread needs to know to take part. The first four say what the open job is. */
@unmanaged
class Job {
  units: u32;
  work: u32;
  parameters: usize;
  chain: usize;
  shared: usize;
  /** Where right is packed. */
  packed: usize;
  /** Thread 0's scratch; the next thread's lies threadBytes farther. */
  scratch: usize;
  threadBytes: usize;
  /** Where a thread's slots and cells begin in its scratch. */
  slots: usize;
}

/** Bytes at the start of a thread's scratch that are no kernel's: results beside their place. */
const TEMPORARY_BYTES: usize = 64;
/** Elements times steps of a chain from which on threads share it: some 10 microseconds. */
const LARGE_CHAIN: u32 = 65536;

/** Bytes of scratch that a call needs once for all threads. */
export function sharedBytes(call: usize): usize {
  const c = changetype<Call>(call);
  if (c.kernel == Kernel.linear) return c.packed ? 0 : linearSharedBytes(c.parameters, c.chain);
  return c.kernel == Kernel.reduce && reduceHasChunks(c.parameters) ? <usize>reduceUnits(c.parameters) << 3 : 0;
}

/** Bytes of scratch that a call needs on each thread, without its chain's slots and cells. */
export function threadBytes(call: usize): usize {
  const c = changetype<Call>(call);
  if (c.kernel == Kernel.linear) return TEMPORARY_BYTES + linearThreadBytes(c.parameters, c.chain);
  if (ALL) {
    if (c.kernel == Kernel.attention || c.kernel == Kernel.attentionReverse) {
      return TEMPORARY_BYTES + attentionThreadBytes(c.parameters, c.kernel == Kernel.attentionReverse);
    }
    if (c.kernel == Kernel.matmulEach) return TEMPORARY_BYTES + matmulEachThreadBytes(c.parameters);
  }
  return TEMPORARY_BYTES + REDUCE_BYTES;
}

/** Units of a call that has a chain. */
export function chainUnits(call: usize): u32 {
  const c = changetype<Call>(call);
  if (!ALL) return 0;
  return unitsOfChain(c.kernel == Kernel.linear ? c.parameters : 0, c.chain);
}

/**
 * Runs `count` calls, `times` times over.
 *   team: threads that may take part; mayWait: this thread may sleep.
 *   scratch: what all threads share, `shared` bytes, then `bytes` of each thread, of which its slots begin at `slots`.
 * @returns 0, or 1 when a worker has failed.
 */
export function run(
  calls: usize, count: u32, times: u32, control: usize, team: u32, mayWait: bool,
  scratch: usize, shared: usize, bytes: usize, slots: usize,
): u32 {
  const job = changetype<Job>(jobOf(control));
  job.shared = scratch;
  job.scratch = scratch + shared;
  job.threadBytes = bytes;
  job.slots = slots;
  const end = calls + count * offsetof<Call>();
  for (let call = calls; call < end; call += offsetof<Call>()) {
    if (packsFirst(calls, changetype<Call>(call)) && !pack(changetype<Call>(call), control, team, mayWait)) return 1;
  }
  for (let time: u32 = 0; time < times; time++) {
    for (let call = calls; call < end; call += offsetof<Call>()) {
      if (!runCall(changetype<Call>(call), control, team, mayWait)) return 1;
    }
  }
  return 0;
}

/** A worker: takes part in what thread 0 runs, until it is to stop. */
export function work(control: usize, thread: u32): void {
  const job = changetype<Job>(jobOf(control));
  while (waitForWork(control, changetype<usize>(job))) {
    for (let unit = claim(control, changetype<usize>(job)); unit >= 0; unit = claim(control, changetype<usize>(job))) {
      runUnit(job, job.work, job.parameters, job.chain, unit, thread);
      complete(control);
    }
  }
}

/** False when a worker has failed. */
function runCall(call: Call, control: usize, team: u32, mayWait: bool): bool {
  const p = call.parameters;
  const chain = call.chain;
  const job = changetype<Job>(jobOf(control));
  switch (call.kernel) {
    case Kernel.copy: copy(p); break;
    case Kernel.gather: gather(p); break;
    case Kernel.random: random(p, job.scratch); break;
    case Kernel.replaceRow: replaceRow(p); break;
    case Kernel.scatterAdd: scatterAdd(p); break;
    case Kernel.elementwise: {
      const count = countOf(chain);
      const isLarge = <f64>count * <f64>stepsOf(chain) >= <f64>LARGE_CHAIN;
      const units = unitsOfChain(0, chain);
      return share(control, Work.elementwise, units, p, chain, isLarge ? team : 1, mayWait);
    }
    case Kernel.linear: {
      if (!call.packed && !pack(call, control, team, mayWait)) return false;
      job.packed = call.packed ? call.packed : job.shared;
      return share(control, Work.linear, linearUnits(p, chain), p, chain, linearIsLarge(p) ? team : 1, mayWait);
    }
    case Kernel.reduce: {
      const units = reduceUnits(p);
      if (!share(control, Work.reduce, units, p, chain, reduceHasChunks(p) || units > 4 ? team : 1, mayWait)) return false;
      if (reduceHasChunks(p)) reduceChunks(p, job.shared);
      break;
    }
    default: if (ALL) return runNetworkCall(call, control, team, mayWait);
  }
  return true;
}

function runNetworkCall(call: Call, control: usize, team: u32, mayWait: bool): bool {
  const p = call.parameters;
  if (call.kernel == Kernel.sums) {
    finishSums(p);
    return true;
  }
  if (call.kernel == Kernel.matmulEach) {
    const size = matmulEachIsLarge(p) ? team : 1;
    return share(control, Work.matmulEach, matmulEachUnits(p), p, call.chain, size, mayWait);
  }
  const kind = call.kernel == Kernel.attention ? Work.attention : Work.attentionReverse;
  return share(control, kind, attentionUnits(p), p, call.chain, attentionIsLarge(p) ? team : 1, mayWait);
}

/** Whether the call has its right operand packed for all times, and no call before it has it in the same place. */
function packsFirst(calls: usize, call: Call): bool {
  if (!call.packed) return false;
  while (changetype<Call>(calls).packed != call.packed) calls += offsetof<Call>();
  return calls == changetype<usize>(call);
}

/** Packs right, and adds up its columns. False when a worker has failed. */
function pack(call: Call, control: usize, team: u32, mayWait: bool): bool {
  const p = call.parameters;
  changetype<Job>(jobOf(control)).packed = call.packed ? call.packed : changetype<Job>(jobOf(control)).shared;
  return share(control, Work.pack, packUnits(p, call.chain), p, call.chain, linearIsLarge(p) ? team : 1, mayWait);
}

/** All units of some work, by this thread or by the team. */
function share(
  control: usize, work: u32, units: u32, parameters: usize, chain: usize, team: u32, mayWait: bool,
): bool {
  const job = changetype<Job>(jobOf(control));
  if (team == 1 || units == 1) {
    for (let unit: u32 = 0; unit < units; unit++) runUnit(job, work, parameters, chain, unit, 0);
    return true;
  }
  close(control);
  job.units = units;
  job.work = work;
  job.parameters = parameters;
  job.chain = chain;
  open(control);
  for (let unit = claim(control, changetype<usize>(job)); unit >= 0; unit = claim(control, changetype<usize>(job))) {
    runUnit(job, work, parameters, chain, unit, 0);
    complete(control);
  }
  return waitForAll(control, units, mayWait);
}

function runUnit(job: Job, work: u32, parameters: usize, chain: usize, unit: u32, thread: u32): void {
  const scratch = job.scratch + thread * job.threadBytes;
  const own = scratch + TEMPORARY_BYTES;
  const slots = scratch + job.slots;
  switch (work) {
    case Work.elementwise: {
      const first = unit * unitOf(chain);
      runChain(chain, unit, first, min(first + unitOf(chain), countOf(chain)), slots, 0, 0, scratch);
      return;
    }
    case Work.linear: linearUnit(parameters, chain, unit, job.packed, own, slots, scratch); return;
    case Work.pack: packUnit(parameters, chain, unit, job.packed, own); return;
    case Work.reduce: reduceUnit(parameters, unit, job.shared, own); return;
    default: if (ALL) runNetworkUnit(work, parameters, unit, own);
  }
}

function runNetworkUnit(work: u32, parameters: usize, unit: u32, own: usize): void {
  switch (work) {
    case Work.attention: attentionUnit(parameters, unit, own); return;
    case Work.attentionReverse: attentionReverseUnit(parameters, unit, own); return;
    case Work.matmulEach: matmulEachUnit(parameters, unit, own); return;
  }
}
