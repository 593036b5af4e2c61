/** What a model is told beside its points, and how it is given to the device: a chunk of rows at a time. */
import type { NumericArray } from "../backends/backend.ts";
import { onDemand } from "../backends/on-demand.ts";
import type { DataSource } from "../data/source.ts";
import { ConfigError } from "../errors.ts";
import type { StateDeclaration } from "../graph/graph.ts";
import type { DType } from "../graph/node.ts";
import { f32Option, optionsObject } from "../graph/options.ts";
import { type ConditionValue, conditionValues } from "../nn/conditions.ts";
import type { Conditions, Network } from "../nn/network.ts";
import { state } from "../ops/sources.ts";
import type { ConditionFacts } from "../train/checkpoint.ts";
import type { ConditionsGiven, ModelCondition } from "./api.ts";
import { paddedRows } from "./points.ts";
import type { telling } from "./telling.ts";

/** How models are told what callers tell them. */
export type Telling = typeof telling;

/** The same where anything says that there are conditions; undefined where nothing does. */
export async function tellingOf(
  ...parts: readonly (Pick<Network | DataSource, "conditions"> | undefined)[]
): Promise<Telling | undefined> {
  if (!parts.some((part) => part?.conditions)) return undefined;
  return (await onDemand(import("./telling.ts"))).telling;
}

/** What is known of a model's conditions. */
export function conditionsOf(
  { conditions = {} }: Pick<Network, "conditions">,
  facts: ConditionFacts,
): Readonly<Record<string, ModelCondition>> {
  return Object.freeze(
    Object.fromEntries(
      Object.entries(conditions).map(([name, { shape, classes, drop }]) => [
        name,
        { shape, ...(classes === undefined ? {} : { classes }), ...facts[name], optional: drop !== undefined },
      ]),
    ),
  );
}

/** The states that hold what each of `rows` points is told. */
export function toldStates(
  { conditions }: Pick<Network, "conditions">,
  rows: number,
  guided = false,
): StateDeclaration[] {
  return [
    ...conditionValues(conditions).map((value) => stateOf(value, rows)),
    ...(guided ? [guidanceState(rows)] : []),
  ];
}

/** The strength of guidance for each of `rows` points. */
export function guidanceState(rows: number): StateDeclaration {
  return { name: "guidance", shape: [rows, 1], dtype: "f32" };
}

function stateOf({ name, shape, dtype }: ConditionValue, rows: number): StateDeclaration {
  return { name: `told.${name}`, shape: [rows, ...shape], dtype };
}

/** The same as what the network is told; undefined where it is told nothing. */
export function toldNodes({ conditions }: Pick<Network, "conditions">, rows: number): Conditions | undefined {
  if (!conditions) return undefined;
  return new Map(conditionValues(conditions).map((value) => [value.name, state(stateOf(value, rows))]));
}

/** One value of a condition, for all points or for each of them. */
export interface ToldValue {
  readonly state: string;
  readonly dtype: DType;
  readonly width: number;
  /** [width] or [count, width]. */
  readonly values: NumericArray;
}

/** What a number of points are told. */
export class Told {
  /** Whether what they are told is to guide them. */
  readonly guided: boolean;
  readonly #values: readonly ToldValue[];

  constructor(values: readonly ToldValue[], guidance?: number) {
    this.guided = guidance !== undefined;
    this.#values =
      guidance === undefined
        ? values
        : [...values, { state: guidanceState(1).name, dtype: "f32", width: 1, values: Float32Array.of(guidance) }];
  }

  /** Contents of the states for rows `from` to `from` + `rows`; past the end the last one's again. */
  at(from: number, rows: number): ReadonlyMap<string, NumericArray> {
    return new Map(
      this.#values.map(({ state, dtype, width, values }) => {
        const isOne = values.length === width;
        const padded = paddedRows(values, isOne ? 0 : from, rows, width);
        return [state, dtype === "u32" ? Uint32Array.from(padded) : padded];
      }),
    );
  }
}

/**
 * What points are told of a model that is told nothing.
 *
 * @throws {@link ConfigError} when a caller tells something, or wants to be guided by it.
 */
export function toldNothing(of: string, given: ConditionsGiven | undefined, guidance: number | undefined): Told {
  optionsObject(`conditions of ${of}`, given ?? {}, []);
  if (isGuidance(of, guidance)) throw noGuidance(of, guidance, "");
  return new Told([]);
}

/** Whether points are guided by what they are told; 1 is the field that is told. */
export function isGuidance(of: string, guidance: number | undefined): guidance is number {
  return guidance !== undefined && f32Option(`guidance of ${of}`, guidance) !== 1;
}

/** @param names - of what the model can do without. */
export function noGuidance(of: string, guidance: number, names: string): ConfigError {
  return new ConfigError({
    subject: `guidance of ${of}`,
    given: `${guidance}, ${names ? `and ${names} not told` : "for a model that learned no field without conditions"}`,
    expected: "conditions that the model can do without, and is told",
    remedy: names
      ? `Tell ${names}, or leave guidance out.`
      : "Train with the condition dropped now and then, as in classes(10, { drop: 0.1 }), or leave guidance out.",
  });
}
