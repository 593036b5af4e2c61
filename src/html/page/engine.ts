/** The page's engine: divflow in a worker of its own, whole, with one model. */
import { flowMapSteps } from "../../flows.ts";
import { createRuntime, dopri5, load, type Model, type Runtime, type Solver, solverFrom } from "../../index.ts";
import type { BackendChoice, FromEngine, SampleRequest, SolverChoice, ToEngine } from "./messages.ts";

interface Opened {
  readonly runtime: Runtime;
  readonly model: Model;
}

let opened: Promise<Opened> | undefined;
/** Of the samplings that go on, by number. */
const running = new Map<number, AbortController>();

addEventListener("message", ({ data: message }: MessageEvent<ToEngine>) => {
  if (message.kind === "open") {
    const before = opened;
    opened = open(message.model, message.backend, before);
    opened.then(
      ({ runtime }) => send({ kind: "opened", reason: runtime.reason }),
      (error) => send({ kind: "failed", message: wordsOf(error) }),
    );
  } else if (message.kind === "stop") running.get(message.number)?.abort();
  else void sample(message.number, message.request);
});

function send(message: FromEngine, transfer: Transferable[] = []): void {
  postMessage(message, { transfer });
}

async function open(bytes: Uint8Array, backend: BackendChoice, before?: Promise<Opened>): Promise<Opened> {
  (await before?.catch(() => undefined))?.runtime.dispose();
  // No worker of its own: it is in one. A GPU that is lost leaves WebAssembly.
  const runtime = await createRuntime({ backend, worker: false, ...(backend === "wasm" ? {} : { fallback: "wasm" }) });
  try {
    return { runtime, model: await load(runtime, bytes, { source: "the page's model" }) };
  } catch (error) {
    runtime.dispose();
    throw error;
  }
}

async function sample(number: number, request: SampleRequest): Promise<void> {
  const controller = new AbortController();
  running.set(number, controller);
  try {
    const { model, runtime } = await (opened as Promise<Opened>);
    const { count, seed, conditions, guidance } = request;
    const { values, seconds } = await model.sample({
      ...{ count, seed, solver: solverOf(request.solver), signal: controller.signal },
      ...(conditions ? { conditions } : {}),
      ...(guidance === undefined ? {} : { guidance }),
      onProgress: (done, total) => send({ kind: "progress", number, done, total }),
    });
    send({ kind: "samples", number, values, seconds, reason: runtime.reason });
  } catch (error) {
    if (controller.signal.aborted) send({ kind: "stopped", number });
    else send({ kind: "failed", number, message: wordsOf(error) });
  } finally {
    running.delete(number);
  }
}

function solverOf({ name, steps, tolerance }: SolverChoice): Solver {
  if (name === "dopri5") return dopri5({ relativeTolerance: tolerance, absoluteTolerance: tolerance });
  return name === "flow-map" ? flowMapSteps({ steps }) : solverFrom({ name, options: { steps } });
}

const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
