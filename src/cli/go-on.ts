/** How a run that was ended goes on: a command to paste into a shell. */
import { type DataArguments, dataArguments } from "./data.ts";
import { shellCommand } from "./output.ts";
import { backendArgument, storageArgument } from "./runtime.ts";

/** What the command that was ended was given, and what the one that goes on from it is to be given again. */
export interface AgainArguments extends DataArguments {
  readonly data: string;
  readonly start?: string | undefined;
  readonly backend: string;
  readonly threads?: string | undefined;
  readonly storage: string;
}

/** @param out - the folder of the run. */
export function goOnCommand(args: AgainArguments, out: string, model: string): string {
  const given = { ...args, backend: unless(backendArgument.default, args.backend) };
  const options = { ...given, storage: unless(storageArgument.default, args.storage) };
  const again = (
    ["start", ...Object.keys(dataArguments), "backend", "threads", "storage"] as (keyof typeof options)[]
  ).flatMap((name) => {
    const value = options[name];
    if (value === undefined || value === false) return [];
    return value === true ? [`--${name}`] : [`--${name}`, value];
  });
  return shellCommand(["divflow", "train", args.data, "--resume", model, "--out", out, ...again]);
}

const unless = (usual: string, given: string) => (given === usual ? undefined : given);
