/** Elements of index.html by their names. */

export function element<E extends HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element "${id}".`);
  return found as E;
}

/** The value of the radio button that is chosen in this group. */
export function chosen(group: string): string {
  return element(group).querySelector<HTMLInputElement>("input:checked")?.value ?? "";
}
