// Another reading of ONNX's format than ours of writing it: fields by number, as protobuf's wire format has them.

export type Fields = ReadonlyMap<number, readonly (number | Uint8Array)[]>;

/** A field's number and type, then a varint (0), bytes after their length (2) or four bytes (5). */
export function fieldsOf(bytes: Uint8Array): Fields {
  const fields = new Map<number, (number | Uint8Array)[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError("cut short");
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [field, type] = [key >>> 3, key & 7];
    if (type !== 0 && type !== 2 && type !== 5) throw new RangeError(`wire type ${type}`);
    let value: number | Uint8Array = type === 5 ? 4 : varint();
    if (type !== 0) {
      if (at + value > bytes.length) throw new RangeError("cut short");
      at += value;
      value = bytes.subarray(at - value, at);
    }
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

export function messagesOf(fields: Fields, field: number): Fields[] {
  return (fields.get(field) ?? []).map((value) => fieldsOf(value as Uint8Array));
}

export function textsOf(fields: Fields, field: number): string[] {
  return (fields.get(field) ?? []).map((value) => new TextDecoder().decode(value as Uint8Array));
}

export function numbersOf(fields: Fields, field: number): number[] {
  return (fields.get(field) ?? []) as number[];
}

/** What a file says of itself. */
export function readModel(bytes: Uint8Array) {
  const model = fieldsOf(bytes);
  const [opset] = messagesOf(model, 8) as [Fields];
  const [graph] = messagesOf(model, 7) as [Fields];
  const nodes = messagesOf(graph, 1);
  const values = (field: number) =>
    messagesOf(graph, field).map((value): [string, (string | number)[]] => {
      const [type] = messagesOf(value, 2) as [Fields];
      const [tensor] = messagesOf(type, 1) as [Fields];
      const [shape] = messagesOf(tensor, 2) as [Fields];
      const sizes = messagesOf(shape, 1).map((size) => textsOf(size, 2)[0] ?? (numbersOf(size, 1)[0] as number));
      return [textsOf(value, 1)[0] as string, sizes];
    });
  return {
    opset: [textsOf(opset, 1)[0], numbersOf(opset, 2)[0]],
    producer: [textsOf(model, 2)[0], textsOf(model, 3)[0]],
    description: textsOf(model, 6)[0],
    metadata: Object.fromEntries(messagesOf(model, 14).map((entry) => [textsOf(entry, 1)[0], textsOf(entry, 2)[0]])),
    inputs: values(11),
    outputs: values(12),
    descriptions: Object.fromEntries(
      messagesOf(graph, 11).map((value) => [textsOf(value, 1)[0] as string, textsOf(value, 3)[0] as string]),
    ),
    operators: nodes.map((node) => textsOf(node, 4)[0] as string),
    domains: new Set(nodes.map((node) => textsOf(node, 7)[0] ?? "")),
    initializers: messagesOf(graph, 5).map((tensor) => ({ name: textsOf(tensor, 8)[0], shape: numbersOf(tensor, 1) })),
  };
}
