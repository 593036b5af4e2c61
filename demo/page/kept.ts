/** What is left of training that cannot go on: its models, as files. */
import type { Kept, Side } from "../messages.ts";

/** Shows where the models stand and a link to each file; nothing where none was kept. */
export function showKept(place: HTMLElement, kept: readonly Kept[], titles: Readonly<Record<Side, string>>): void {
  for (const { href } of place.querySelectorAll("a")) URL.revokeObjectURL(href);
  place.hidden = kept.length === 0;
  place.replaceChildren(
    ...(kept.length === 0 ? [] : ["Kept as they were, to go on with or to sample elsewhere: "]),
    ...kept.flatMap((one, i) => [...(i === 0 ? [] : [", "]), linkTo(one, titles[one.side])]),
  );
}

function linkTo({ side, step, bytes }: Kept, title: string): HTMLAnchorElement {
  const link = document.createElement("a");
  link.download = `${side}.safetensors`;
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.textContent = `${title} at step ${step.toLocaleString("en")}`;
  return link;
}
