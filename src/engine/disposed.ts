import { DisposedError } from "../errors.ts";

/**
 * `Symbol.dispose`, or what compilers put in its place where a browser has none yet (Safari, Firefox before 141): with
 * neither, `[Symbol.dispose]` would be a method named "undefined", and `using` an error.
 */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? (Symbol.for("Symbol.dispose") as typeof Symbol.dispose);

/** What use after `dispose()` throws. */
export function disposed(subject: string): DisposedError {
  return new DisposedError({
    subject,
    given: "a call after dispose()",
    expected: "no further use",
    remedy: "Make another one, or dispose of it later.",
  });
}
