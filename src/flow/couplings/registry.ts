/** Couplings by name: imported when a file, or a page for its worker, names one. */
import { madeFrom, type NamedOptions, type Registry } from "../../graph/options.ts";
import { type Coupling, OWN, PAIRED_WITH } from "./coupling.ts";
import { independent } from "./independent.ts";
import { entropicTransport, optimalTransport } from "./transport.ts";

const entries: Registry<Coupling> = {
  independent: independent,
  "optimal-transport": optimalTransport,
  "entropic-transport": entropicTransport,
};

export { OWN, PAIRED_WITH };

export const couplingNames: readonly string[] = Object.keys(entries);

/**
 * The coupling of this name and these plain options.
 *
 * @throws {@link ConfigError} when the name or an option is unknown, or an option is outside its range.
 */
export function couplingFrom(named: NamedOptions): Coupling {
  return madeFrom("coupling", entries, named);
}
