/** What every call has to keep to, so that no backend has to support what it does not say. */
import { MAX_WORKGROUPS } from "../../src/kernels/kernel.ts";
import type { ElementwiseChain, KernelCall, Placement, PlanLimits, Region } from "../../src/schedule/program.ts";
import { allKernels } from "../kernels.ts";

export function keyOf(region: Region): string {
  return region.kind === "arena"
    ? `arena ${region.index}${region.element ? ` of ${region.element}` : ""}`
    : region.kind === "state"
      ? `state ${region.name}`
      : "constants";
}

export function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Elements of a region: `width` of every `stride` of a placement. */
interface Elements {
  readonly placement: Placement;
  readonly stride?: number;
  readonly width?: number;
}

const isProduct = ({ kernel }: KernelCall) => kernel === "linear" || kernel === "convolve";

const isHalf = (region: Region) => region.kind === "arena" && region.element === "f16";

const sameRegion = (a: Placement, b: Placement) => keyOf(a.region) === keyOf(b.region);

function overlaps(one: Elements, other: Elements): boolean {
  const [{ placement: a, stride = 1 }, { placement: b }] = [one, other];
  if (!sameRegion(a, b) || a.offset >= b.offset + b.length || b.offset >= a.offset + a.length) return false;
  if (stride !== (other.stride ?? 1)) return true;
  const columns = ({ placement, width = 1 }: Elements) =>
    Array.from({ length: width }, (_, i) => (placement.offset + i) % stride);
  return columns(one).some((column) => columns(other).includes(column));
}

/** @throws Error that says what the call breaks. */
export function checkCall(call: KernelCall, limits: PlanLimits): void {
  if (call.chain) checkChain(call.chain, call.kernel === "elementwise");
  for (const [name, { region }] of Object.entries(call.bindings)) {
    demand(!isHalf(region) || (isProduct(call) && /^(left|right|out)$/.test(name)), `${name} is f16`);
  }
  const regions = new Set(
    [...(call.chain?.loads ?? []), ...(call.chain?.stores ?? [])].map(({ placement }) => keyOf(placement.region)),
  );
  const operands = call.kernel === "elementwise" ? [] : checkOperands(call, limits);
  demand(regions.size + operands.length <= limits.maxStorageBindings, "too many bindings");
  if (!call.chain || call.kernel === "elementwise") return;

  const { rows = 0, columns = 0, groups = 1 } = call.parameters;
  demand(isProduct(call) && groups <= limits.maxEpilogueGroups, `${groups} groups`);
  demand(call.chain.count * groups === rows * columns && call.chain.count % columns === 0, "groups of unequal rows");
  demand(!call.bindings["out"] && !call.parameters["sumsDepth"], "an epilogue beside another result");
  for (const store of call.chain.stores) {
    for (const operand of operands) {
      demand(!overlaps({ placement: operand }, store), "an epilogue overwrites an operand");
      const isShared = sameRegion(operand, store.placement);
      demand(!(limits.separateReadAndWrite && isShared), "one region read and written");
    }
  }
}

function checkChain({ count, loads, stores }: ElementwiseChain, isAlone: boolean): void {
  demand(stores.length > 0, "no stores");
  for (const { placement, dtype } of [...loads, ...stores]) {
    demand(dtype === "f32" || !isHalf(placement.region), "integers as f16");
  }
  for (const { divisor, modulus, stride = 1, terms } of loads) {
    if (!terms) continue;
    demand(terms.length > 0 && terms.length <= 3, `${terms.length} further terms`);
    let [run, last] = [divisor * modulus, (modulus - 1) * stride];
    for (const term of terms) {
      demand(term.modulus > 1 && term.divisor % run === 0, "terms that do not follow each other");
      [run, last] = [term.divisor * term.modulus, last + (term.modulus - 1) * term.stride];
    }
    demand(count % run === 0, "a last run that is not whole");
  }
  stores.forEach((store, i) => {
    const { placement, stride = 1, width = 1, source } = store;
    demand(isAlone ? source.from !== "product" : true, "a product without one");
    demand(count % width === 0 && (width === 1 || width < stride), "columns that are not whole");
    demand(placement.length === (count / width - 1) * stride + width, "a store of another length");
    for (const other of stores.slice(0, i)) demand(!overlaps(store, other), "stores overlap");
    for (const load of loads) {
      if (!overlaps(load, store)) continue;
      const equal = load.placement.offset === placement.offset && (load.stride ?? 1) === stride && width === 1;
      demand(equal && load.divisor === 1 && load.modulus === count, "a store overwrites what another element loads");
    }
  });
}

/** The placements bound by name. */
function checkOperands({ kernel, parameters, bindings }: KernelCall, limits: PlanLimits): Placement[] {
  const declaration = allKernels[kernel];
  demand(declaration !== undefined, "no such kernel");
  const fields = Object.keys(declaration.parameters);
  const expected = fields.filter((field) => !field.endsWith("Offset")).sort();
  const given = Object.keys({ ...declaration.defaults, ...parameters }).sort();
  demand(given.join() === expected.join(), "parameters are not the kernel's");
  for (const name of Object.keys(bindings)) demand(name in declaration.bindings, `no binding ${name}`);
  const bound = Object.entries(declaration.bindings).flatMap(([name, binding]) => {
    const placement = bindings[name];
    demand(placement !== undefined || binding.optional === true, `binding ${name} is missing`);
    return placement ? [{ placement, access: binding.access }] : [];
  });
  for (const { placement, access } of bound) {
    if (access !== "write") continue;
    for (const other of bound) {
      if (other.placement === placement) continue;
      demand(!overlaps(other, { placement }), "a result overlaps an operand");
      const isRead = other.access === "read" && sameRegion(other.placement, placement);
      demand(!(limits.separateReadAndWrite && isRead), "one region read and written");
    }
  }
  for (const size of declaration.workgroups(parameters)) demand(size <= MAX_WORKGROUPS, "too many workgroups");
  return bound.map(({ placement }) => placement);
}
