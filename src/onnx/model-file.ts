/**
 * An ONNX model file: what is in it, and its bytes. The numbers of fields are those of onnx.proto.
 *
 * @see https://onnx.ai/onnx/repo-docs/IR.html
 */
import { LimitError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { bytes, float, integer, joined, type Message, message, nested, text } from "./wire.ts";

/** The version of the standard operators, whose numbers this is: of 2022, so that runtimes of the years since have them. */
export const OPSET = 17;

/** The version of the format that came with it. */
const IR_VERSION = 8;

/** What protobuf holds in a message. */
const MOST_BYTES = 2 ** 31 - 1;

export type ElementType = "float" | "int64";

const elementTypes: Readonly<Record<ElementType, number>> = { float: 1, int64: 7 };

/** Numbers that the file holds, row-major. */
export interface Initializer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | BigInt64Array;
}

/** An input or output of the graph; sizes that are text may be any, and are equal where their names are. */
export interface ValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
  readonly description: string;
}

export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly text: string };

/** A node of the file: a standard operator on named values. All that we use have one output. */
export interface Operation {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface ModelFile {
  readonly name: string;
  readonly description: string;
  /** What programs may read, by name. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: readonly Initializer[];
  /** Each after those whose outputs it reads. */
  readonly operations: readonly Operation[];
}

/**
 * The bytes of the file.
 *
 * @throws {@link LimitError} when they are more than the format holds.
 */
export function writeModelFile(file: ModelFile): Uint8Array<ArrayBuffer> {
  const graph = message([
    ...file.operations.map((operation) => nested(1, operationMessage(operation))),
    text(2, file.name),
    ...file.initializers.map((initializer) => nested(5, tensorMessage(initializer))),
    ...file.inputs.map((value) => nested(11, valueMessage(value))),
    ...file.outputs.map((value) => nested(12, valueMessage(value))),
  ]);
  const model = message([
    integer(1, IR_VERSION),
    text(2, "divflow"),
    text(3, VERSION),
    text(6, file.description),
    nested(7, graph),
    nested(8, message([text(1, ""), integer(2, OPSET)])),
    ...Object.entries(file.metadata).map(([name, value]) => nested(14, message([text(1, name), text(2, value)]))),
  ]);
  if (model.length <= MOST_BYTES) return joined(model);
  throw new LimitError({
    subject: "ONNX file of the network",
    given: `${(model.length / 2 ** 30).toFixed(1)} GiB`,
    expected: "less than 2 GiB, which is what the format holds",
    remedy: "Export a smaller network.",
  });
}

function operationMessage({ operator, inputs, output, attributes }: Operation): Message {
  return message([
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(3, output),
    text(4, operator),
    ...Object.entries(attributes).map(([name, value]) => nested(5, attributeMessage(name, value))),
  ]);
}

/** With the number of its type, as field 20. */
function attributeMessage(name: string, value: Attribute): Message {
  const fields = () => {
    if ("float" in value) return [float(2, value.float), integer(20, 1)];
    if ("int" in value) return [integer(3, value.int), integer(20, 2)];
    if ("text" in value) return [text(4, value.text), integer(20, 3)];
    return [...value.ints.map((each) => integer(8, each)), integer(20, 7)];
  };
  return message([text(1, name), ...fields()]);
}

function tensorMessage({ name, shape, values }: Initializer): Message {
  const type = values instanceof Float32Array ? "float" : "int64";
  // Little-endian, as every platform that has WebAssembly.
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return message([
    ...shape.map((size) => integer(1, size)),
    integer(2, elementTypes[type]),
    text(8, name),
    bytes(9, raw),
  ]);
}

function valueMessage({ name, type, shape, description }: ValueInfo): Message {
  const dimensions = shape.map((size) =>
    nested(1, message([typeof size === "string" ? text(2, size) : integer(1, size)])),
  );
  const tensor = message([integer(1, elementTypes[type]), nested(2, message(dimensions))]);
  return message([text(1, name), nested(2, message([nested(1, tensor)])), text(3, description)]);
}
