/**
 * The fastest kernel for each product, by measurement on this very device: tried once per adapter and class of products,
 * while a program is loaded, and kept. Rivals are kernels that add up in the same order, and of these only those that
 * gave the same bits here: what a clock says changes no result. docs/kernels/linear.md has the whole of it.
 */
import { shaders } from "../../generated/shaders.ts";
import { kernels } from "../../kernels/registry.ts";
import type { KernelCall, Program } from "../../schedule/program.ts";
import { VERSION } from "../../version.ts";
import { inTime, within } from "../in-time.ts";
import type { DeviceParts } from "./executable.ts";
import {
  type DeviceTraits,
  fitsNarrow,
  isForCPUs,
  type LinearChoice,
  type LinearKernel,
  type ProductShape,
  productShape,
} from "./linear-choice.ts";
import { chooseProduct, type LowerOptions, lowerProduct } from "./lower.ts";
import { measureProducts } from "./measure-product.ts";
import { platformStore, type TuningStore } from "./tuning-store.ts";

/**
 * Times a call by each of the choices, of which the first is the default.
 *
 * @param deadline - by the clock of `performance.now()`, after which it comes back soon.
 * @returns milliseconds by choice, Infinity for what fails or gives other bits than the default; undefined when nothing
 * is known, so that another program tries again.
 */
export type Measure = (
  call: KernelCall,
  choices: readonly LinearChoice[],
  deadline: number,
) => Promise<readonly number[] | undefined>;

export interface TunerParts {
  readonly lowering: LowerOptions;
  /** What tells adapters apart. */
  readonly adapter: readonly unknown[];
  /** Where choices are kept from one tuner to the next. */
  readonly store: TuningStore | undefined;
  readonly measure: Measure;
  /** Makes the pipelines of a product by each of its choices, for measuring; left out, that makes them. */
  readonly compile?: (call: KernelCall, choices: readonly LinearChoice[]) => Promise<unknown>;
}

/** Milliseconds that loading a program may take longer once all shaders are compiled; the second for each class of products. */
const BUDGET = 300;
const BUDGET_EACH = 20;

/**
 * Milliseconds that it may wait for the rivals' shaders before that. An NVIDIA driver takes 50 to 150 a shader: out of
 * the budget above, nothing would ever be measured there. What comes later is there for the next program.
 */
const COMPILING = 2000;

/** The same on software adapters, which are tuned only when somebody asks: compiling alone takes longer than the above. */
const SOFTWARE_BUDGET = 20_000;

/** Milliseconds that a store may take to answer. */
const PATIENCE = 1000;

/** A kernel takes the default's place when it needs less than this share of its time: less may be noise. */
const MARGIN = 0.95;

/** What chooses between kernels for a program: takes the place of {@link chooseProduct}. */
export type Tuner = (program: Pick<Program, "calls">) => Promise<NonNullable<LowerOptions["linear"]>>;

/**
 * The tuner of a device.
 *
 * @param tune - the store, or true: the platform's; where there is none, choices last as long as the tuner, and `refusal`
 * says why.
 */
export async function tunerOf(
  parts: DeviceParts,
  description: string,
  tune: true | TuningStore,
  measure = measureProducts(parts),
): Promise<{ readonly tune: Tuner; readonly refusal: string | undefined }> {
  let store: TuningStore | undefined;
  let refusal: string | undefined;
  try {
    store =
      tune === true ? await within(PATIENCE / 1000, platformStore(), () => new Error("it does not answer")) : tune;
  } catch (error) {
    refusal = `there is no place to keep what was found: ${error instanceof Error ? error.message : error}`;
  }
  const tuner = createTuner({
    lowering: parts.lowering,
    adapter: [description, parts.device.adapterInfo?.device],
    store,
    measure,
    compile: (call, choices) => {
      const dispatches = choices.flatMap((choice) => lowerProduct(call, choice, parts.lowering).dispatches);
      const { made, release } = parts.pipelines.hold(dispatches);
      return Promise.allSettled(made).then(release);
    },
  });
  return { tune: tuner, refusal };
}

export function createTuner({ lowering, adapter, store, measure, compile }: TunerParts): Tuner {
  const { traits } = lowering;
  let known: Promise<Known> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const tune: Tuner = async (program) => {
    known ??= recall(store, await adapterKey(adapter, traits));
    const { kept, keep } = await known;
    const products: Product[] = [];
    for (const call of byWork(program.calls)) products.push(await productOf(call, lowering));
    const unknown = firstOfEachClass(products).filter(({ name, rivals }) => rivals.length > 1 && !kept.has(name));
    if (compile && unknown.length > 0) {
      const compiled = Promise.allSettled(unknown.map(({ call, choices }) => compile(call, choices)));
      await inTime(performance.now() + COMPILING, compiled);
    }
    const budget = traits.software ? SOFTWARE_BUDGET : Math.max(BUDGET, BUDGET_EACH * unknown.length);
    const deadline = performance.now() + budget;
    const chosen = new Map<KernelCall, LinearChoice>();
    let news = false;
    for (const { call, choice, choices, rivals, name } of products) {
      if (rivals.length > 1 && !kept.has(name) && performance.now() < deadline) {
        const times = await measure(call, choices, deadline).catch(() => undefined); // loading will say what failed
        if (times) kept.set(name, fastest(rivals, times));
        news ||= times !== undefined;
      }
      chosen.set(call, { ...choice, kernel: rivals.find((rival) => rival === kept.get(name)) ?? choice.kernel });
    }
    if (news) await keep();
    return (call) => chosen.get(call) ?? chooseProduct(call, traits);
  };

  // One program after another: measurements at once would disturb each other.
  return (program) => {
    const tuned = last.then(() => tune(program));
    last = tuned.catch(() => {});
    return tuned;
  };
}

/** A product, and by what it may be computed. */
interface Product {
  readonly call: KernelCall;
  /** What is taken where nothing is known. */
  readonly choice: LinearChoice;
  readonly rivals: readonly LinearKernel[];
  /** By each rival. */
  readonly choices: readonly LinearChoice[];
  /** Of its class. */
  readonly name: string;
}

async function productOf(call: KernelCall, lowering: LowerOptions): Promise<Product> {
  const choice = chooseProduct(call, lowering.traits);
  const rivals = rivalKernels(choice.kernel, lowering.forms?.networks && productShape(call));
  const choices = rivals.map((kernel) => ({ ...choice, kernel }));
  return { call, choice, rivals, choices, name: await className(call, choice, rivals, lowering) };
}

function firstOfEachClass(products: readonly Product[]): Product[] {
  return products.filter(({ name }, i) => products.findIndex((other) => other.name === name) === i);
}

/** The products of a program, the most work first. */
function byWork(calls: readonly KernelCall[]): KernelCall[] {
  return calls.filter(({ kernel }) => kernels[kernel]?.isProduct).sort((a, b) => b.flops - a.flops);
}

/** The kernels that give a product the bits that the chosen one gives, this one first. */
export function rivalKernels(chosen: LinearKernel, shape?: ProductShape): LinearKernel[] {
  if (chosen === "panel") return [chosen];
  if (isForCPUs(chosen)) return [chosen, chosen === "strip" ? "registers" : "strip"];
  const others: LinearKernel[] = shape ? ["small", fitsNarrow(shape) ? "narrow" : "square"] : ["small"];
  return [chosen, ...(["tile", ...others] as const).filter((kernel) => kernel !== chosen)];
}

export function fastest(kernels: readonly LinearKernel[], times: readonly number[]): LinearKernel {
  const least = Math.min(...times);
  const at = least < (times[0] as number) * MARGIN ? times.indexOf(least) : 0;
  return kernels[at] as LinearKernel;
}

/**
 * Calls of one class share shaders, so transpositions, alignment and epilogue, have the same rivals, and sizes that are
 * the same when rounded to powers of two.
 */
async function className(
  call: KernelCall,
  choice: LinearChoice,
  rivals: readonly string[],
  lowering: LowerOptions,
): Promise<string> {
  const { rows, columns, depth } = productShape(call);
  const code = lowerProduct(call, choice, lowering).dispatches.map((dispatch) => dispatch.code);
  const sizes = [rows, columns, depth].map((size) => 2 ** Math.round(Math.log2(size)));
  return `${await digest([code, rivals])} ${sizes.join(" x ")} / ${choice.segments}`;
}

/** Changes with what could change times or bits: device, platform and its version, divflow's version, shaders. */
async function adapterKey(adapter: readonly unknown[], traits: DeviceTraits): Promise<string> {
  const platform = (globalThis.navigator as Navigator | undefined)?.userAgent;
  return JSON.stringify([adapter, traits, platform, VERSION, await digest(shaders)]);
}

async function digest(value: unknown): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(value)));
  return Array.from(new Uint8Array(bytes, 0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Kernels by class, and what keeps them. */
interface Known {
  readonly kept: Map<string, string>;
  readonly keep: () => Promise<void>;
}

/** What a store holds under a key. A store that fails costs a measurement, not the run. */
async function recall(store: TuningStore | undefined, key: string): Promise<Known> {
  const read = async () => {
    try {
      const found = inTime(performance.now() + PATIENCE, Promise.resolve(store?.get(key)));
      return Object.entries<string>(JSON.parse((await found) ?? "{}"));
    } catch {
      return [];
    }
  };
  const kept = new Map(await read());
  const keep = async () => {
    try {
      const all = [...(await read()), ...kept]; // others may have kept some meanwhile
      await inTime(
        performance.now() + PATIENCE,
        Promise.resolve(store?.set(key, JSON.stringify(Object.fromEntries(all)))),
      );
    } catch {}
  };
  return { kept, keep };
}
