import { DisposedError } from "../errors.ts";

/** What use after `dispose()` throws. */
export function disposed(subject: string): DisposedError {
  return new DisposedError({
    subject,
    given: "a call after dispose()",
    expected: "no further use",
    remedy: "Make another one, or dispose of it later.",
  });
}
