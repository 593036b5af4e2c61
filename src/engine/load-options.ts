/** Options of reading model files, whatever call takes them. */
import { optionsObject, partOption, textOption } from "../graph/options.ts";
import type { LoadOptions } from "./api.ts";

/**
 * @param of - the call, for messages.
 * @param others - options that it takes beside these.
 * @throws {@link ConfigError} when one is unknown, or not what it is to be.
 */
export function checkLoadOptions<Options extends LoadOptions>(
  of: string,
  options: Options,
  others: readonly (keyof Options & string)[] = [],
): void {
  optionsObject(`options of ${of}`, options, ["activation", "network", "config", "path", "source", ...others]);
  textOption(`source of ${of}`, options.source, "the file's name, for messages");
  if (options.network !== undefined) partOption(`network of ${of}`, options.network, "apply", "unet2d({ sample })");
  if (options.path !== undefined) partOption(`path of ${of}`, options.path, "at", "condOT()");
}
