/** JSON that tests change in ways that no type allows. */

/** An object or list whose fields are changed at any depth, by Object.assign and delete. */
export interface Json {
  [name: string]: Json;
}

/** A list of it, whatever is in it. */
export function numbersIn(list: Json | undefined): number[] {
  return list as unknown as number[];
}

/** The text with such a change. */
export function changed(text: string, change: (fields: Json) => unknown): string {
  const fields = JSON.parse(text) as Json;
  change(fields);
  return JSON.stringify(fields);
}
