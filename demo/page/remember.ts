/** Small things that the page remembers from visit to visit. Storage may be blocked or full: then nothing is. */

export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {} // the next visit is a first one again
}
