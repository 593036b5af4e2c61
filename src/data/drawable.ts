import { UnsupportedError } from "../errors.ts";
import type { DataSource } from "./source.ts";

/** @throws {@link UnsupportedError} where a source's rows come but once, in training. */
export function expectDrawable(subject: string, source: DataSource): void {
  if (!source.stream) return;
  throw new UnsupportedError({
    subject,
    given: `the data "${source.name}", whose rows come as they are made`,
    expected: "data that can be drawn at any time",
    remedy: "Give some rows as arrayData.",
  });
}
