/** Where the sums that chains make (chain-sums.ts) are while a program runs. */
import type { Placement, Program } from "../../schedule/program.ts";
import { SUMS } from "./chain-sums.ts";
import type { WasmMemory } from "./memory.ts";
import type { Needs } from "./scratch.ts";
import { CALL_BYTES, type Translation } from "./translate.ts";

/** What units add up begins at a multiple of a cache line. */
const ALIGNMENT = 64;

/**
 * Fills in the parameters of the calls that end sums, and gives what the units of their chains add up a place, from the chain on
 * until that call.
 *
 * @param addressOf - the byte address of a placement.
 */
export function placeSums(
  { calls: planned }: Program,
  { calls }: Translation,
  needs: Needs,
  memory: WasmMemory,
  addressOf: (placement: Placement) => number,
  allocate: (bytes: number) => number,
): void {
  const entryOf = (call: number) => memory.words(calls + call * CALL_BYTES, 3); // kernel, parameters, chain
  let [bytes, most, last] = [0, 0, -1];
  const sums = planned
    .flatMap(({ kernel, parameters: { of = 0 } }, call) => (kernel === SUMS ? { of, call } : []))
    .sort((a, b) => a.of - b.of)
    .map(({ of, call }) => {
      if (of > last) bytes = 0; // all before it have ended
      last = Math.max(last, call);
      const offset = bytes;
      const { parameters, bindings } = planned[call] as Program["calls"][number];
      const { columns = 0, period = 0, scale = 1 } = parameters;
      const out = bindings["out"] as Placement;
      const units = needs.chainUnits(calls + of * CALL_BYTES) >>> 0;
      bytes += Math.ceil(((units * columns + out.length) * 8) / ALIGNMENT) * ALIGNMENT;
      most = Math.max(most, bytes);
      const [, product = 0, chain = 0] = entryOf(of);
      const isProduct = planned[of]?.kernel !== "elementwise";
      return { call, offset, scale, words: [columns, period, 0, 0, isProduct ? product : 0, chain, addressOf(out)] };
    });
  const start = most > 0 ? allocate(most) : 0;
  for (const { call, offset, scale, words } of sums) {
    const [, parameters = 0] = entryOf(call);
    memory.words(parameters, words.length).set(words);
    memory.words(parameters + 8, 1)[0] = start + offset;
    memory.floats(parameters + 12, 1)[0] = scale;
  }
}
