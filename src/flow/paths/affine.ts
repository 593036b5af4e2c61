import { ConfigError } from "../../errors.ts";
import type { PathScheduler } from "./path.ts";

/**
 * Passes paths whose points are alpha x1 + sigma x0 and nothing else.
 *
 * @param subject - what needs one.
 * @throws {@link ConfigError} on a bridge.
 */
export function expectAffine(subject: string, path: PathScheduler): void {
  if (!path.between) return;
  throw new ConfigError({
    subject,
    given: `path ${path.name}`,
    expected: "a path whose points are alpha(t) x1 + sigma(t) x0",
    remedy: "Take condOT(), or leave this out: cfm() and fdm() train on the bridge.",
  });
}
