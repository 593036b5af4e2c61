/** Runs the programs of a golden case on a backend. */
import type { Backend, NumericArray } from "../../backends/backend.ts";
import { compile } from "../../schedule/compile.ts";
import { Pace, runPaced } from "../pace.ts";
import { StateStore } from "../state-store.ts";
import type { CaseProgram, CaseValues, GoldenCase } from "./case.ts";
import { openProgram, type SentPrograms } from "./sent.ts";

/** What the programs write: by state, what each run left there. */
export async function runPrograms(
  backend: Backend,
  { programs, inputs }: Pick<GoldenCase, "programs" | "inputs">,
): Promise<CaseValues> {
  const values = new Map<string, readonly NumericArray[]>();
  for (const program of programs) {
    for (const [name, runs] of await valuesAfter(backend, program, inputs)) values.set(name, runs);
  }
  return values;
}

/** The same of programs that a page sent. */
export function runSentPrograms(backend: Backend, { programs, inputs }: SentPrograms): Promise<CaseValues> {
  return runPrograms(backend, { programs: programs.map(openProgram), inputs });
}

/** The values of the states that the program writes, after each of its runs. */
async function valuesAfter(
  backend: Backend,
  { graph, runs = [new Map()], times = 1 }: CaseProgram,
  inputs: ReadonlyMap<string, NumericArray>,
): Promise<CaseValues> {
  const { limits } = backend;
  const all = limits.halvesFrom === undefined ? limits : { ...limits, halvesFrom: 1 }; // cases are small
  const program = compile(graph, all);
  const store = new StateStore(backend);
  const write = (states: ReadonlyMap<string, NumericArray>) => {
    for (const [name, values] of states) if (store.has(name)) store.write(name, values);
  };
  try {
    store.declare(program.state);
    const executable = await backend.load(program, store.buffers(program.state.map(({ name }) => name)));
    try {
      write(inputs);
      const names = graph.updates.map((update) => update.state.name);
      const values = new Map<string, NumericArray[]>(names.map((name) => [name, []]));
      for (const states of runs) {
        write(states);
        await runPaced(backend, executable, times, new Pace());
        for (const [name, found] of await store.readAll(names)) values.get(name)?.push(found);
      }
      return values;
    } finally {
      executable.dispose();
    }
  } finally {
    store.dispose();
  }
}
