/** What graphs of a user's own are made into again: imported on demand, for most pages and files have none. */
export { graphData, openData } from "../data/graph-data.ts";
export { openGuidance } from "../flow/guidance/graph-guidance.ts";
export { graphLoss } from "../flow/losses/graph-loss.ts";
export { graphWeight } from "../flow/losses/graph-weight.ts";
export { graphPath } from "../flow/paths/graph-path.ts";
