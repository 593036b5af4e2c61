/** How many words are live at each position of an order, as intervals come and go: sums by runs of positions. */
const RUN = 64;

export class Profile {
  private readonly live: Float64Array;
  /** Of each run: the most of its positions, without `raised`. */
  private readonly most: Float64Array;
  /** What all positions of a run have beside their own. */
  private readonly raised: Float64Array;

  constructor(positions: number) {
    this.live = new Float64Array(positions);
    this.most = new Float64Array(Math.ceil(positions / RUN));
    this.raised = new Float64Array(this.most.length);
  }

  /** Adds words from one position to another, both among them. */
  add(from: number, to: number, words: number): void {
    for (let run = Math.floor(from / RUN); run * RUN <= to; run++) {
      const [start, end] = [run * RUN, Math.min((run + 1) * RUN, this.live.length)];
      if (from <= start && to >= end - 1) {
        this.raised[run] = (this.raised[run] as number) + words;
        continue;
      }
      const [first, last] = [Math.max(from, start), Math.min(to, end - 1)];
      for (let i = first; i <= last; i++) this.live[i] = (this.live[i] as number) + words;
      this.most[run] = this.live.subarray(start, end).reduce((most, each) => Math.max(most, each));
    }
  }

  /** The first position at which the most is live. */
  peak(): { readonly at: number; readonly words: number } {
    const sums = this.most.map((most, run) => most + (this.raised[run] as number));
    const words = sums.reduce((most, each) => Math.max(most, each), 0);
    const run = sums.indexOf(words);
    const most = this.most[run] as number;
    return { at: run * RUN + this.live.subarray(run * RUN, (run + 1) * RUN).indexOf(most), words };
  }
}
