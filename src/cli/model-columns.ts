/**
 * Names of the columns that a model file's data had, before there is a runtime to load it with. Undefined where it says
 * none, or is no model file: whoever loads it says so.
 */
export function columnsIn(bytes: Uint8Array): readonly string[] | undefined {
  try {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true));
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    const { columns } = JSON.parse((header as { __metadata__: { divflow: string } }).__metadata__.divflow);
    return Array.isArray(columns) && columns.every((name) => typeof name === "string") ? columns : undefined;
  } catch {
    return undefined;
  }
}
