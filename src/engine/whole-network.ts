/**
 * When a solve runs its network whole, many steps to a kernel call, and how such a call comes to know its steps. Imported
 * on demand, with all that only it needs: on WebAssembly and by adaptive solvers nothing runs whole.
 */
import type { Executable } from "../backends/backend.ts";
import type { DivergenceOptions } from "../flow/likelihood.ts";
import type { SolvePlan } from "../flow/solvers/solver.ts";
import { type WholeNetworkPlan, wholeNetworkPlan } from "../flow/whole-network.ts";
import { sizeOf } from "../graph/node.ts";
import { mlpFlow, mlpFlowLimits } from "../kernels/mlp-flow.ts";
import { hasKernel } from "../kernels/optional.ts";
import { mlpStructure } from "../nn/mlp.ts";
import { parameterLayout } from "../nn/network.ts";
import { state } from "../ops/sources.ts";
import type { PlanLimits } from "../schedule/program.ts";

export { flowUnit } from "../schedule/flow-unit.ts";

export interface WholeNetworkSettings {
  readonly rows: number;
  readonly dimension: number;
  readonly estimates: number;
  readonly divergence: Required<DivergenceOptions> | undefined;
}

/** The plan rewritten, where its field is a bare network, and backend, network, solver and sizes allow it. */
export function planWhole(plan: SolvePlan, settings: WholeNetworkSettings, limits: PlanLimits) {
  if (!hasKernel(mlpFlow.name, limits) || limits.maxStorageBindings < Object.keys(mlpFlow.bindings).length) return;
  const { dimension } = settings;
  const { network, parameters } = plan.field?.bare ?? {};
  const structure = network && mlpStructure(network);
  if (!structure || !parameters || !plan.tableau) return;
  if (dimension > mlpFlowLimits.dimension || Math.max(...structure.hidden) > mlpFlowLimits.width) return;
  if (plan.tableau.b.length > mlpFlowLimits.stages) return;
  const { total } = parameterLayout(network);
  const vector = state({ name: parameters, shape: [total], dtype: "f32" });
  const whole = wholeNetworkPlan(plan, { ...settings, structure, parameters: vector });
  const most = Math.min(limits.maxBindingBytes, limits.maxBufferBytes);
  return whole?.state.every(({ shape }) => 4 * sizeOf(shape) <= most) ? whole : undefined;
}

/** `run(n)` is one run of the program, which takes the next n steps. */
export class CountedSteps implements Executable {
  readonly #executable: Executable;
  readonly #write: (range: Uint32Array) => void;
  #done = 0;

  /** @param write - writes the plan's {@link WholeNetworkPlan.range}. */
  constructor(executable: Executable, write: (range: Uint32Array) => void) {
    this.#executable = executable;
    this.#write = write;
  }

  /** The next run begins with the first step. */
  restart(): void {
    this.#done = 0;
  }

  run(times: number): void {
    this.#write(Uint32Array.of(this.#done, times));
    this.#executable.run(1);
    this.#done += times;
  }

  dispose(): void {
    this.#executable.dispose();
  }
}
