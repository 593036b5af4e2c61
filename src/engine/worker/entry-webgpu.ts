/** dist/worker-webgpu.js: the engine in the worker of a page that has a GPU. */
import { ownPort } from "./port.ts";
import { serve } from "./serve.ts";

serve(ownPort(), { webgpu: () => import("../../backends/webgpu/backend.ts") });
