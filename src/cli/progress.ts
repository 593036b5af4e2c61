/**
 * How far a command is, on standard error: on a terminal a bar with the time left, elsewhere (a log, a pipe) a line now
 * and then, and none of a short run.
 */
import { type Bar, Presets, SingleBar } from "cli-progress";
import { printable } from "../errors.ts";
import { isQuiet, remark } from "./output.ts";

export interface ProgressBar {
  /** @param note - what else there is to say, such as the mean loss. */
  update(value: number, note?: string): void;
  stop(): void;
}

/** Milliseconds between lines where no bar can be drawn; a run that ends before says none. */
const LINE_EVERY = 10_000;

/** When the last line was written: one clock for the whole command, whose stages may each be short. 0 is its start. */
let lastLine = 0;

/** Characters of a title, which may be a file's name. */
const LONGEST_TITLE = 60;

/** Milliseconds from which the time that planning took is worth a line. */
const LONG_PLANNING = 5000;

/**
 * A bar, or lines, up to `total`.
 *
 * @param planned - whether a program is planned before the first update: the bar says so, lines how long it took.
 */
export function progressBar(name: string, total: number, { planned = false } = {}): ProgressBar {
  if (isQuiet()) return { update: () => {}, stop: () => {} };
  const title = printable(name, LONGEST_TITLE);
  return process.stderr.isTTY ? drawnBar(title, total, planned) : lines(title, total, planned);
}

function drawnBar(title: string, total: number, planned: boolean): ProgressBar {
  const bar: Bar = new SingleBar(
    {
      format: `${title} {bar} {value}/{total} {note}`,
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: false,
      barsize: 30,
    },
    Presets.shades_classic,
  );
  const left = timeLeft(total);
  bar.start(total, 0, { note: planned ? PLANNING : "" });
  return {
    update: (value, note) => bar.update(value, { note: told(note, left(value)) }),
    stop() {
      if (bar.isActive) bar.stop(); // a second time would draw it again
    },
  };
}

function lines(title: string, total: number, planned: boolean): ProgressBar {
  const left = timeLeft(total);
  const begun = performance.now();
  let planning = planned;
  return {
    update(value, note) {
      const now = performance.now();
      const seconds = left(value);
      if (planning) {
        sayPlanned(title, now - begun);
        planning = false;
      }
      if (now - lastLine < LINE_EVERY || value >= total) return;
      lastLine = now;
      const percent = Math.floor((100 * value) / total);
      remark(`${title}: ${told(`${value} of ${total} (${percent} %)`, note, seconds)}`);
    },
    stop: () => {},
  };
}

const PLANNING = "planning";

function sayPlanned(title: string, milliseconds: number): void {
  if (milliseconds <= LONG_PLANNING) return;
  lastLine = performance.now();
  remark(`${title}: planned in ${duration(milliseconds / 1000)}`);
}

/** Does what plans a program, which for a large network takes long: a terminal says so meanwhile, a log afterwards. */
export async function whilePlanning<Planned>(
  name: string,
  plan: (onProgress: (done: number, passes: number) => void) => Promise<Planned>,
): Promise<Planned> {
  const title = printable(name, LONGEST_TITLE);
  const drawn = process.stderr.isTTY && !isQuiet();
  const begun = performance.now();
  const draw = (passes: string) => process.stderr.write(`\r\u001b[2K${title}: ${PLANNING}${passes}`);
  if (drawn) draw("");
  try {
    const result = await plan((done, passes) => {
      if (drawn) draw(`, ${done} of ${passes} passes`);
    });
    if (!drawn) sayPlanned(title, performance.now() - begun);
    return result;
  } finally {
    if (drawn) process.stderr.write("\r\u001b[2K");
  }
}

const told = (...parts: readonly (string | undefined)[]) => parts.filter(Boolean).join(", ");

/** The time that is left, in words, at the speed since the first value seen; undefined while that is not known. */
export function timeLeft(total: number, now = () => performance.now()): (value: number) => string | undefined {
  let first: { readonly value: number; readonly time: number } | undefined;
  return (value) => {
    const time = now();
    first ??= { value, time };
    if (value <= first.value || value >= total) return undefined;
    return `${duration(((time - first.time) * (total - value)) / (value - first.value) / 1000)} left`;
  };
}

/** 8 s, 3 min 20 s, 2 h 5 min, 4 d 3 h. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [days, hours, minutes] = [86_400, 3600, 60].map((unit) => Math.floor(whole / unit)) as [number, number, number];
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}

/** Values over which a mean is shown: one batch's loss jumps about by more than training moves it. */
const MEAN_OVER = 200;

/** The mean of the last values given, of 200 at most. */
export function recentMean(): (values: readonly number[]) => number {
  let recent: number[] = [];
  return (values) => {
    recent = [...recent, ...values].slice(-MEAN_OVER);
    return recent.reduce((sum, value) => sum + value, 0) / recent.length;
  };
}
