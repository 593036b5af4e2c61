/** A case of one op: its value, its tangent, its gradient, and the gradient of its tangent, computed elsewhere in f64. */
import { jvp } from "../../autodiff/jvp.ts";
import { vjp } from "../../autodiff/vjp.ts";
import type { NumericArray } from "../../backends/backend.ts";
import { UnsupportedError } from "../../errors.ts";
import type { Node } from "../../graph/node.ts";
import { state } from "../../ops/sources.ts";
import { type GoldenCase, outputOf, relativeError, scalesOf } from "./case.ts";
import { type CaseTensor, Fields } from "./case-fields.ts";
import { type KnownOp, knownOps } from "./ops.ts";

const fieldNames = [
  ...["kind", "name", "op", "attributes", "inputs", "differentiable", "tangents", "output", "jvp", "cotangent"],
  ...["tangentCotangent", "grads", "secondGrads", "scales", "information"],
];

/**
 * The case that this JSON value is.
 *
 * @param file - what messages call it.
 * @throws {@link DataError} naming the field that is missing or wrong; of ConfigErrors of the op, what it says.
 * @throws {@link UnsupportedError} when the op is unknown.
 */
export function opCase(given: unknown, file: string): GoldenCase {
  const fields = new Fields(given, `${file}: `);
  fields.only(fieldNames);
  const name = fields.value("op");
  const known = typeof name === "string" && Object.hasOwn(knownOps, name) ? knownOps[name] : undefined;
  if (!known) {
    throw new UnsupportedError({
      subject: `${file}: op`,
      given: name,
      expected: `one that this version of divflow knows: ${Object.keys(knownOps).join(", ")}`,
      remedy: "Correct the name, or take a version that has the op.",
    });
  }

  const tensors = inputsOf(fields.object("inputs"), known);
  const states = new Map<string, NumericArray>();
  const read = (state_: string, { shape, data, dtype }: CaseTensor): Node => {
    states.set(state_, dtype === "u32" ? Uint32Array.from(data) : Float64Array.from(data));
    return state({ name: state_, shape, dtype });
  };
  const inputs = Object.fromEntries(
    Object.entries(tensors).map(([input, tensor]) => [input, read(`case.${input}`, tensor)]),
  );
  const attributes = fields.object("attributes");
  attributes.only(known.attributes);
  const output = known.build(inputs, attributes, tensors);

  const names = variablesOf(fields, tensors);
  const variables = names.map((input) => inputs[input] as Node);
  const shapesOf = (object: Fields): CaseTensor[] => {
    object.only(names);
    return names.map((input) => object.tensor(input, tensors[input]?.shape));
  };
  const tangents = shapesOf(fields.object("tangents")).map((tensor, i) => read(`tangent.${names[i]}`, tensor));
  const cotangent = read("cotangent", fields.tensor("cotangent", output.shape));
  const tangentCotangent = read("tangentCotangent", fields.tensor("tangentCotangent", output.shape));

  const [moved] = jvp([output], variables, tangents) as [Node];
  const gradients = vjp([output], [cotangent], variables);
  const second = vjp([moved], [tangentCotangent], [...variables, ...tangents]);
  const secondGrads = fields.object("secondGrads");
  secondGrads.only(["inputs", "tangents"]);
  const named = (prefix: string, nodes: readonly Node[], object: Fields) =>
    shapesOf(object).map((tensor, i) => [`${prefix}.${names[i]}`, nodes[i] as Node, tensor] as const);
  const quantities = [
    ["output", output, fields.tensor("output", output.shape)] as const,
    ["jvp", moved, fields.tensor("jvp", output.shape)] as const,
    ...named("grads", gradients, fields.object("grads")),
    ...named("secondGrads.inputs", second.slice(0, names.length), secondGrads.object("inputs")),
    ...named("secondGrads.tangents", second.slice(names.length), secondGrads.object("tangents")),
  ];
  const scales = scalesOf(
    fields,
    quantities.map(([quantity]) => quantity),
  );
  return {
    programs: [
      { graph: { name: "verify-op", updates: quantities.map(([quantity, node]) => outputOf(quantity, node)) } },
    ],
    inputs: states,
    errors: (values) =>
      Object.fromEntries(
        quantities.map(([quantity, , { data }]) => [
          quantity,
          relativeError(values.get(quantity)?.[0] ?? [], data, scales.get(quantity)),
        ]),
      ),
  };
}

/** The inputs of the op, each of its type. */
function inputsOf(fields: Fields, { inputs }: KnownOp): Record<string, CaseTensor> {
  fields.only(Object.keys(inputs));
  const there = Object.entries(inputs).filter(([name, type]) => type !== "optional" || fields.has(name));
  return Object.fromEntries(
    there.map(([name, type]) => {
      const tensor = fields.tensor(name);
      const expected = type === "optional" ? "f32" : type;
      if (tensor.dtype !== expected) {
        fields.refuse(`${name}.dtype`, tensor.dtype, expected === "u32" ? '"u32"' : "no dtype: it is f32");
      }
      return [name, tensor];
    }),
  );
}

/** The inputs that have derivatives: at least one, each once. */
function variablesOf(fields: Fields, tensors: Readonly<Record<string, CaseTensor>>): string[] {
  const names = fields.texts("differentiable");
  const possible = Object.keys(tensors).filter((name) => tensors[name]?.dtype === "f32");
  const isRight = names.length > 0 && names.every((name, i) => possible.includes(name) && names.indexOf(name) === i);
  return isRight ? names : fields.refuse("differentiable", names, `one or more of ${possible.join(", ")}, each once`);
}
