/**
 * What goes between a page and its worker: a message is plain data, so networks, paths, losses and the like cross as
 * the names and options that checkpoints hold of them too, and are made anew on the other side.
 */
import { arrayParts, isArrayData, madeArray } from "../../data/array.ts";
import { dataFrom, dataNames } from "../../data/registry.ts";
import type { DataSource } from "../../data/source.ts";
import { UnsupportedError } from "../../errors.ts";
import type { Loss } from "../../flow/losses/loss.ts";
import { lossFrom, lossNames } from "../../flow/losses/registry.ts";
import type { PathScheduler } from "../../flow/paths/path.ts";
import { pathFrom, pathNames } from "../../flow/paths/registry.ts";
import { solverFrom, solverNames } from "../../flow/solvers/registry.ts";
import type { Solver } from "../../flow/solvers/solver.ts";
import { isRecord, type NamedOptions } from "../../graph/options.ts";
import { type MLPConfig, mlp } from "../../nn/mlp.ts";
import type { Network } from "../../nn/network.ts";
import { type Optimizer, optimizerFrom, optimizers } from "../../train/adam.ts";

/** Options with each of these parts, where present, in its plain form. */
export type Plain<Options> = { readonly [Key in keyof Options]: Key extends PartName ? unknown : Options[Key] };

interface Parts {
  readonly network: Network;
  readonly path: PathScheduler;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly data: DataSource;
  readonly validation: DataSource | readonly number[];
  readonly solver: Solver;
}
type PartName = keyof Parts;

interface Form<Part> {
  plain(part: Part): unknown;
  made(plain: unknown): Part;
}

/** The form of a part that its name and options make. */
function namedForm<Part extends NamedOptions>(
  what: PartName,
  names: readonly string[],
  made: (plain: NamedOptions) => Part,
): Form<Part> {
  return {
    plain({ name, options }) {
      if (!names.includes(name)) throw unknownPart(what, name);
      return { name, options };
    },
    made: (plain) => made(plain as NamedOptions),
  };
}

const namedData = namedForm<DataSource>("data", dataNames, dataFrom);

const dataForm: Form<DataSource> = {
  plain(source) {
    if (!isArrayData(source)) return namedData.plain(source);
    return { name: source.name, ...arrayParts(source) };
  },
  made(plain) {
    return (plain as NamedOptions).name === "array" ? madeArray(plain as never) : namedData.made(plain);
  },
};

const forms: { readonly [Name in PartName]: Form<Parts[Name]> } = {
  network: {
    plain({ kind, config }) {
      if (kind !== "mlp") throw unknownPart("network", kind);
      return { kind, config };
    },
    made(plain) {
      return mlp((plain as Pick<Network, "config">).config as unknown as MLPConfig);
    },
  },
  path: namedForm("path", pathNames, pathFrom),
  loss: namedForm("loss", lossNames, lossFrom),
  optimizer: namedForm("optimizer", Object.keys(optimizers), optimizerFrom),
  solver: namedForm("solver", solverNames, solverFrom),
  data: dataForm,
  validation: {
    plain: (given) => ("draw" in given ? dataForm.plain(given) : given),
    made: (plain) => (isRecord(plain) && "name" in plain ? dataForm.made(plain) : (plain as readonly number[])),
  },
};

const isPartName = (name: string): name is PartName => Object.hasOwn(forms, name);

/**
 * The options with their parts in plain form.
 *
 * @throws {@link UnsupportedError} for a part that no name makes: a user's own network, path, loss or data source.
 */
export function toPlain<Options extends object>(options: Options): Plain<Options> {
  return changed(options, (name, part) => (forms[name] as Form<typeof part>).plain(part)) as Plain<Options>;
}

/** The options with their parts made from their plain form: what {@link toPlain} was given, but for a signal. */
export function fromPlain<Options extends object>(plain: object): Options {
  return changed(plain, (name, part) => forms[name].made(part)) as Options;
}

/** What is no object, or no part of any kind, is left as it is: whoever takes the options says what is wrong. */
function changed(options: object, change: (name: PartName, part: never) => unknown): object {
  if (typeof options !== "object" || options === null || Array.isArray(options)) return options;
  return Object.fromEntries(
    Object.entries(options).map(([name, part]) => {
      const isPart = isPartName(name) && typeof part === "object" && typeof (part?.name ?? part?.kind) === "string";
      return [name, isPart ? change(name, part as never) : part];
    }),
  );
}

function unknownPart(what: PartName, name: unknown): UnsupportedError {
  return new UnsupportedError({
    subject: `${what} for an engine in a worker`,
    given: name,
    expected: `a ${what} that divflow makes: functions cannot be sent to a worker`,
    remedy: "Use createRuntime({ worker: false }): the engine then runs on this thread and takes your own.",
  });
}
