/** What tabs with a shipped model and their workers say alike. */

/** Beside `open`, which is each tab's own. */
export type Asked<Question> =
  | { readonly kind: "ask"; readonly question: Question }
  /** Another weight of the divergence loss, where it trains with one. */
  | { readonly kind: "weigh"; readonly weight: number }
  | { readonly kind: "start" }
  | { readonly kind: "pause" };

export type Trained =
  | { readonly kind: "trained"; readonly step: number; readonly loss: number; readonly seconds: number }
  | { readonly kind: "paused" }
  | { readonly kind: "failed"; readonly message: string };

export interface OpenMessage {
  readonly kind: "open";
  readonly attempt: number;
  readonly backend: "auto" | "webgpu" | "wasm";
}

/** Of the `open` of this number. */
export type Numbered<News> = News & { readonly attempt: number };
