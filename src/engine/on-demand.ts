/** Code that is downloaded when it is wanted, and what users are told where it cannot be. */
import { UnsupportedError } from "../errors.ts";

/**
 * The module, once it is there.
 *
 * @throws {@link UnsupportedError} when its file is missing, a page's policy forbids it, or the place imports nothing.
 */
export async function onDemand<Module>(imported: Promise<Module>): Promise<Module> {
  try {
    return await imported;
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
