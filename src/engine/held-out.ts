/** What is held out of a trainer's data, and when a run ends by it: its options, for trainers that have some. */
import { arrayRows, isArrayData } from "../data/array.ts";
import { expectDrawable } from "../data/drawable.ts";
import type { DataSource } from "../data/source.ts";
import { splitRows } from "../data/split.ts";
import { ConfigError } from "../errors.ts";
import { choiceOption, integerOption, isRecord, optionsObject } from "../graph/options.ts";
import { type ValidationCriterion, validationCriteria } from "../train/validation.ts";
import type { TrainerOptions } from "./api.ts";
import type { Telling } from "./told.ts";
import { expectDimension, type ValidationSettings } from "./trainer-settings.ts";

/** What is said where an option is left out: docs/data.md has the trial behind them. */
const DEFAULT_EVERY = 100;
const DEFAULT_PATIENCE = 20;

/** Rows held out up to which their likelihood is the better criterion, and costs little. */
const FEW_ROWS = 64;

/** The options, with the data as the network is told of them. */
interface Given extends TrainerOptions {
  readonly seed: number;
  readonly telling: Telling | undefined;
}

export type Validating = typeof validationSettings;

/** @throws {@link ConfigError} when an option of validation is wrong, or its data do not fit the network. */
export function validationSettings(given: Given): ValidationSettings {
  const { validateEvery, earlyStopping } = given;
  const every = integerOption("validateEvery", validateEvery ?? DEFAULT_EVERY);
  const heldOut = heldOutOf(given);
  const isFew = isArrayData(heldOut.source) && heldOut.source.count <= FEW_ROWS;
  const hasDensity = given.start === undefined;
  const stopping = stoppingOf(earlyStopping, isFew && hasDensity ? "negativeLogLikelihood" : "velocityLoss");
  if (!hasDensity && stopping.by === "negativeLogLikelihood") {
    throw new ConfigError({
      subject: "by of earlyStopping beside a start",
      given: stopping.by,
      expected: '"velocityLoss": a model that starts from other points than noise has no likelihood',
      remedy: "Leave it out.",
    });
  }
  return { ...heldOut, every, ...stopping };
}

function heldOutOf({ validation, data, network, seed, telling }: Given): Pick<ValidationSettings, "rows" | "source"> {
  if (isRecord(validation) && typeof validation["draw"] === "function") {
    const given = validation as unknown as DataSource;
    expectDrawable("validation of createTrainer", given);
    expectDimension("validation", given, network);
    const source = telling?.toldData("validation", network, given) ?? given;
    telling?.expectSameNames("validation", source, data.conditions, "the data");
    return { rows: undefined, source };
  }
  if (!isArrayData(data)) {
    throw new ConfigError({
      subject: "validation of createTrainer",
      given: validation,
      expected: `a data source: the data "${data.options["name"] ?? data.name}" have no rows to hold out`,
      remedy:
        "Give a source of its own, such as the same data again: its points are drawn apart from those trained on.",
    });
  }
  const rows = splitRows(data.count, validation as number | readonly number[], seed);
  return { rows, source: arrayRows(data, rows.heldOut) };
}

function stoppingOf(
  earlyStopping: unknown = false,
  criterion: ValidationCriterion,
): Pick<ValidationSettings, "patience" | "by"> {
  const isOn = earlyStopping !== false;
  const options = (typeof earlyStopping === "boolean" ? {} : earlyStopping) as { patience?: unknown; by?: unknown };
  const { patience = DEFAULT_PATIENCE, by = criterion } = optionsObject("earlyStopping", options, ["patience", "by"]);
  return {
    patience: isOn && patience !== Number.POSITIVE_INFINITY ? integerOption("patience", patience) : undefined,
    by: choiceOption("by of earlyStopping", by as ValidationCriterion, validationCriteria),
  };
}
