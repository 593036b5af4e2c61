/** Light, dark, or as the system has it. */
import { element } from "./elements.ts";

const themes = ["system", "light", "dark"] as const;

export function offerThemes(changed: () => void): void {
  const button = element("theme");
  let place = 0;
  button.addEventListener("click", () => {
    place = (place + 1) % themes.length;
    const theme = themes[place] as (typeof themes)[number];
    button.textContent = `Theme: ${theme}`;
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}
