/** The machine that figures are of. */
import { arch, cpus, platform, totalmem } from "node:os";

/**
 * @typedef {object} Machine
 * @property {string} cpu
 * @property {number} cores
 * @property {number} memoryGiB
 * @property {string} system
 * @property {string[]} runtimes - with versions
 * @property {Record<string, string>} devices - by contender, in the backend's own words
 * @property {string} date - of the run
 */

/** @param {{ runtimes: string[], devices: Record<string, string> }} seen @returns {Machine} */
export function describeMachine({ runtimes, devices }) {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${arch()}`,
    runtimes,
    devices,
    date: new Date().toISOString().slice(0, 10),
  };
}
