/** dist/worker-wasm.js: the engine in the worker of a page without a GPU, and the f64 reference. */
import { ownPort } from "./port.ts";
import { serve } from "./serve.ts";

serve(ownPort(), {
  wasm: () => import("../../backends/wasm/backend.ts"),
  reference: () => import("../../backends/reference/backend.ts"),
});
