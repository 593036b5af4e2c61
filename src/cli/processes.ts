/** Which process made a file, and whether it still runs: of locks and of temporary files that a killed one left. */
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

export interface ProcessMark {
  /** The machine, and the container on it: where numbers of processes mean the same. */
  readonly host: string;
  readonly pid: number;
  /** When it started, where the system says so: another process may have the number by now. */
  readonly start: string;
}

export function ownMark(): ProcessMark {
  return { host: hostHere(), pid: process.pid, start: startOf(process.pid) ?? "" };
}

/** Whether that process runs; undefined where it is another machine's. */
export function isRunning({ host, pid, start }: ProcessMark): boolean | undefined {
  if (host !== hostHere()) return undefined;
  if (!exists(pid)) return false;
  const found = startOf(pid);
  return found === undefined ? !onLinux() : start === "" || found === start;
}

/** A mark in a file's name. */
export function shortMark({ host, pid, start }: ProcessMark): string {
  return `${digest(host)}-${pid}-${digest(start)}`;
}

/** Of what {@link shortMark} gave, as {@link isRunning}. */
export function isShortMarkRunning(mark: string): boolean | undefined {
  const [host, pid, start] = mark.split("-");
  if (host !== digest(hostHere())) return undefined;
  const number = Number(pid);
  return exists(number) && start === digest(startOf(number) ?? "");
}

const onLinux = () => process.platform === "linux";

/** Of containers that share a name and a folder, each has numbers of its own. */
function hostHere(): string {
  try {
    return `${hostname()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // another user's
  }
}

/** Boot and clock tick of a process's start; undefined where there is no such process, or no Linux. */
function startOf(pid: number): string | undefined {
  try {
    const facts = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = facts.slice(facts.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined; // dead, and not yet waited for
    return `${readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

const digest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 8);
