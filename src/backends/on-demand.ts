/** Code that is downloaded when it is wanted, and what users are told where it cannot be. */
import { UnsupportedError } from "../errors.ts";
import { START_SECONDS, within } from "./in-time.ts";

/**
 * The module, once it is there.
 *
 * @param given - seconds that it may take to come; never less than {@link START_SECONDS}, as nothing takes its place.
 * @throws {@link UnsupportedError} when its file is missing, does not come in time, a page's policy forbids it, or the
 * place imports nothing.
 */
export async function onDemand<Module>(imported: Promise<Module>, given = START_SECONDS): Promise<Module> {
  const seconds = Math.max(given, START_SECONDS);
  try {
    return await within(seconds, imported, () => new Error(`no answer in ${seconds} s`));
  } catch (cause) {
    throw new UnsupportedError(
      {
        subject: "a part of divflow that is imported on demand",
        given: cause instanceof Error ? cause.message : String(cause),
        expected: "its file beside divflow's own, of the same version, and allowed by the page's script-src",
        remedy: "Serve all of dist/, and reload the page after an update. In a service worker nothing can be imported.",
      },
      { cause },
    );
  }
}
