/** Cases whose quantities the host computes, in f64, whatever the backend. */
import { type GoldenCase, relativeError, scalesOf } from "./case.ts";
import { Fields } from "./case-fields.ts";
import { CaseReader, caseFields } from "./quantities.ts";

/** What the host computes: its shape in the file, and how. */
export interface HostQuantity {
  readonly shape: readonly number[];
  readonly dtype?: "u32";
  value(): ArrayLike<number>;
}

export interface HostCaseKind {
  readonly attributes: readonly string[];
  readonly inputs: readonly string[];
  make(reader: CaseReader): Readonly<Record<string, HostQuantity>>;
}

/** A kind of case without a program. Its quantities are computed when they are compared, those alone that the file names. */
export function hostCase({ attributes, inputs, make }: HostCaseKind): (given: unknown, file: string) => GoldenCase {
  return (given, file) => {
    const fields = new Fields(given, `${file}: `);
    fields.only(caseFields);
    const quantities = make(new CaseReader(fields, attributes, inputs));
    const expected = fields.object("expected");
    expected.only(Object.keys(quantities));
    const names = expected.names();
    if (names.length === 0)
      fields.refuse("expected", "nothing", `one or more of ${Object.keys(quantities).join(", ")}`);
    const wanted = names.map((name) => {
      const quantity = quantities[name] as HostQuantity;
      const { data, dtype } = expected.tensor(name, quantity.shape);
      if (dtype !== (quantity.dtype ?? "f32")) expected.refuse(`${name}.dtype`, dtype, quantity.dtype ?? "no dtype");
      return { name, data, quantity };
    });
    const scales = scalesOf(fields, names);
    return {
      programs: [],
      inputs: new Map(),
      errors: () =>
        Object.fromEntries(
          wanted.map(({ name, data, quantity }) => [name, relativeError(quantity.value(), data, scales.get(name))]),
        ),
    };
  };
}

/** What `make` gives, made when it is first asked for. */
export function once<Made>(make: () => Made): () => Made {
  let made: { readonly value: Made } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
