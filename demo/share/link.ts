/**
 * A run in the hash of a URL: "#2." and letters, of at most 2 KB. The number is the form's: another one is of another version
 * of the page. The bytes end with a checksum, so that what a chat or a line break did to a link is seen.
 */
import { ByteReader, ByteWriter, bytesOf, lettersOf } from "./bytes.ts";
import {
  axes,
  backends,
  defaultRun,
  faultOf,
  maps,
  overlays,
  type SharedData,
  type SharedRun,
  type SharedView,
  solvers,
} from "./run.ts";

/** Letters of a hash, "#" included. */
export const MOST_LETTERS = 2048;

const FORM = "2";
/** Links that ended with the data. */
const OLD_FORM = "1";
const [NAMED, INK] = [0, 1];
/** Points of a drawing are rounded to the first of these, in data units, that a link has room for. */
const units = [1 / 64, 1 / 32, 1 / 16] as const;

/** A run as a hash; `note` says what of a drawing a link has no room for. */
export interface Link {
  readonly hash: string;
  readonly note?: string;
}

export function linkOf(run: SharedRun): Link {
  for (let every = 1; ; every++) {
    for (const unit of units) {
      const shared = every === 1 ? run : { ...run, data: thinned(run.data, every) };
      const hash = `#${FORM}.${lettersOf(written(shared, unit))}`;
      if (hash.length > MOST_LETTERS) continue;
      if (every === 1) return { hash };
      return { hash, note: `The drawing is larger than a link: it holds one point in ${every}.` };
    }
  }
}

/** What a hash says: a run, the default one where it says nothing or nothing that holds, and then why. */
export interface Opened {
  readonly run: SharedRun;
  /** Whether the run is the link's. */
  readonly isShared: boolean;
  /** For the visitor. */
  readonly message?: string;
}

export function runOf(hash: string): Opened {
  const text = hash.replace(/^#/, "");
  if (text === "") return { run: defaultRun, isShared: false };
  const [, form, letters] = /^(\d+)\.(.*)$/s.exec(text) ?? [];
  if (form !== undefined && form !== FORM && Number(form) > Number(FORM)) {
    return refused("This link is of a newer version of this page: reload it, or ask for a link anew.");
  }
  const run = form === FORM || form === OLD_FORM ? readOrNothing(letters ?? "", form === FORM) : undefined;
  if (!run) return refused("This link is damaged or cut short: ask for it anew.");
  const fault = faultOf(run);
  return fault ? refused(`This link asks for ${fault}, which this page has not.`) : { run, isShared: true };
}

function refused(why: string): Opened {
  return { run: defaultRun, isShared: false, message: `${why} The usual settings are used.` };
}

function readOrNothing(letters: string, hasMore: boolean): SharedRun | undefined {
  try {
    return read(bytesOf(letters), hasMore);
  } catch {
    return undefined; // whatever it was that the bytes did not hold
  }
}

function written(run: SharedRun, unit: number): Uint8Array {
  const { data, width, layers, seed, backend, weights, sampler } = run;
  const to = new ByteWriter();
  to.whole(width);
  to.whole(layers);
  to.whole(seed);
  to.byte(backends.indexOf(backend));
  to.number(weights.left);
  to.number(weights.right);
  to.byte(solvers.indexOf(sampler.solver));
  to.whole(sampler.steps);
  to.number(sampler.tolerance);
  writeData(to, data, unit);
  writeMore(to, run);
  const sum = checksumOf(to.bytes);
  for (const shift of [0, 8, 16]) to.byte(sum >>> shift);
  return to.bytes;
}

function writeData(to: ByteWriter, data: SharedData, unit: number): void {
  to.byte(data.kind === "named" ? NAMED : INK);
  if (data.kind === "named") {
    to.text(data.name);
    return;
  }
  to.text(data.title);
  to.number(data.deviation);
  to.whole(Math.round(1 / unit));
  to.whole(data.points.length / 2);
  const before: [number, number] = [0, 0]; // strokes go on where they were: differences are small
  for (const [i, value] of data.points.entries()) {
    const place = Math.round(value / unit);
    to.signed(place - before[(i % 2) as 0 | 1]);
    before[(i % 2) as 0 | 1] = place;
  }
}

/** Which of what follows is there, bit by bit; then that. */
function writeMore(to: ByteWriter, { byClass, sampler: { label, guidance }, view }: SharedRun): void {
  const there = [
    byClass === true,
    label !== undefined,
    guidance !== undefined,
    view !== undefined,
    view?.jumps !== undefined,
  ];
  to.byte(bitsOf(there));
  if (label !== undefined) to.whole(label);
  if (guidance !== undefined) to.number(guidance);
  if (!view) return;
  to.whole(Math.round(1000 * view.t));
  to.byte(maps.indexOf(view.map));
  to.byte(bitsOf(overlays.map((one) => view.overlays.includes(one))));
  to.byte(axes.indexOf(view.axis));
  if (view.jumps !== undefined) to.whole(view.jumps);
}

function readMore(from: ByteReader) {
  const bits = from.byte();
  const [byClass, hasLabel, hasGuidance, hasView, hasJumps] = [0, 1, 2, 3, 4].map((bit) => ((bits >> bit) & 1) === 1);
  const told = {
    ...(hasLabel ? { label: from.whole() } : {}),
    ...(hasGuidance ? { guidance: from.number() } : {}),
  };
  return { told, ...(byClass ? { byClass } : {}), ...(hasView ? { view: readView(from, hasJumps === true) } : {}) };
}

function readView(from: ByteReader, hasJumps: boolean): SharedView {
  const [t, map, shown, axis] = [from.whole() / 1000, among(maps, from.byte()), from.byte(), among(axes, from.byte())];
  if (shown >= 2 ** overlays.length) throw new RangeError("no such layers");
  return {
    ...{ t, map, axis, overlays: overlays.filter((_, bit) => (shown >> bit) & 1) },
    ...(hasJumps ? { jumps: from.whole() } : {}),
  };
}

const bitsOf = (flags: readonly boolean[]) => flags.reduce((bits, is, bit) => bits | (is ? 1 << bit : 0), 0);

function read(all: Uint8Array, hasMore: boolean): SharedRun {
  const bytes = all.subarray(0, -3);
  const sum = checksumOf(bytes);
  if (![0, 8, 16].every((shift, i) => all[bytes.length + i] === ((sum >>> shift) & 255)))
    throw new RangeError("damaged");
  const from = new ByteReader(bytes);
  const [width, layers, seed] = [from.whole(), from.whole(), from.whole()];
  const backend = among(backends, from.byte());
  const weights = { left: from.number(), right: from.number() };
  const sampler = { solver: among(solvers, from.byte()), steps: from.whole(), tolerance: from.number() };
  const data = readData(from);
  const { told, ...more } = hasMore ? readMore(from) : { told: {} };
  if (!from.isAtEnd) throw new RangeError("more than a run");
  return { data, width, layers, seed, backend, weights, sampler: { ...sampler, ...told }, ...more };
}

function readData(from: ByteReader): SharedData {
  if (from.byte() === NAMED) return { kind: "named", name: from.text() };
  const [title, deviation, perUnit, count] = [from.text(), from.number(), from.whole(), from.whole()];
  const before: [number, number] = [0, 0];
  const points: number[] = [];
  for (let i = 0; i < 2 * count; i++) {
    const axis = (i % 2) as 0 | 1;
    before[axis] += from.signed();
    points.push(before[axis] / perUnit);
  }
  return { kind: "ink", title, points, deviation };
}

function among<Value>(values: readonly Value[], place: number): Value {
  const value = values[place];
  if (value === undefined) throw new RangeError("no such choice");
  return value;
}

function thinned(data: SharedData, every: number): SharedData {
  if (data.kind === "named") return data;
  return { ...data, points: data.points.filter((_, i) => Math.floor(i / 2) % every === 0) };
}

/** FNV-1a, 24 bits of it: one damaged link in 16 million passes for another. */
function checksumOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash ^ (hash >>> 24)) & 0xffffff;
}
