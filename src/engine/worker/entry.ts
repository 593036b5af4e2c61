/** dist/worker.js: the engine with every backend, for whoever gives a worker's address. */
import { everyBackend } from "../choose-backend.ts";
import { ownPort } from "./port.ts";
import { serve } from "./serve.ts";

serve(ownPort(), everyBackend);
