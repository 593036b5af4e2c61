/** The module that the engine's worker runs: dist/worker.js. */
import { type Port, serve } from "./serve.ts";

serve(globalThis as unknown as Port);
