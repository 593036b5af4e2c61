/** The report's style sheet: light and dark, and narrow pages down to 320 pixels. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ink: #1d1b26; --soft: #5c596a; --line: #e3e1ea; --paper: #fbfafd; --card: #fff; --bars: #cfccda;
  --cfm: #1c64d1; --fdm: #cc2431; --more: #0b7469; --exact: #5c596a;
  --violet: #7d3bb3; --ochre: #8a5a00; --pink: #b3206b; --slate: #44505f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #eeecf5; --soft: #aeaabd; --line: #332f42; --paper: #14121b; --card: #1c1925; --bars: #433e55;
    --cfm: #6aa6ff; --fdm: #ff737a; --more: #46cdb9; --exact: #c9c4dc;
    --violet: #cf9ff2; --ochre: #e3b355; --pink: #ff8fc4; --slate: #a9b7c9;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 32px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 8px; letter-spacing: -0.02em; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 10px; }
p { margin: 0; color: var(--soft); max-width: 80ch; text-wrap: pretty; }
h2 + p { margin-bottom: 14px; }
.verdict { margin: 22px 0 0; padding: 14px 18px; max-width: none; border-left: 4px solid var(--line); border-radius: 4px;
  background: var(--card); color: var(--ink); font-size: 18px; }
.verdict:is(.cfm, .fdm, .more, .violet, .ochre, .pink, .slate) { border-color: currentColor; }
.verdict span { color: var(--ink); }
.row { display: grid; gap: 18px; grid-template-columns: repeat(auto-fit, minmax(min(150px, 100%), 1fr)); }
:is(.row, .found, .verdict, .note) + .row { margin-top: 18px; }
.row.pictures, .ways { margin-top: 24px; }
.row.charts > .card:only-child { max-width: 640px; }
.row.charts { grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); }
.row.small-multiples { grid-template-columns: repeat(auto-fill, minmax(min(250px, 100%), 1fr)); }
.row.pairs { grid-template-columns: repeat(auto-fill, minmax(min(340px, 100%), 1fr)); }
.card { margin: 0; min-width: 0; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px; }
.small-multiples .card, .pairs .card { padding: 10px; }
.small-multiples, .pairs { gap: 12px; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 14px; font-weight: 600; margin-bottom: 10px; }
figcaption small { order: 1; flex-basis: 100%; }
small { display: block; font-size: 14px; font-weight: 400; color: var(--soft); overflow-wrap: anywhere; }
img { width: 100%; display: block; border-radius: 6px; image-rendering: pixelated; }
.strips { display: grid; gap: 4px; }
.films { margin-top: 18px; max-width: 640px; }
.films[open] > :is(p, img) { margin-top: 12px; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 13px system-ui, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
.logo text:not(.place) { font: 700 10px ui-monospace, monospace; }
.logo .place.place { font-size: 15px; }
.card + .row { margin-top: 18px; }
.step { text-anchor: middle; }
.step[text-anchor] { text-anchor: end; }
.grid { stroke: var(--line); }
.bars { fill: var(--bars); }
.curve { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; }
.curve.cfm { stroke-width: 6; opacity: 0.45; } /* seen under the other, which is close to it */
.curve.thin { stroke-width: 2; opacity: 1; }
.small .curve.thin { stroke-width: 1.5; }
.curve.exact { stroke-width: 4; opacity: 0.5; }
.judged { stroke: currentColor; stroke-width: 1.5; stroke-dasharray: 5 5; }
.large { max-width: 860px; margin: 0 auto; }
.best { fill: currentColor; }
.cfm { color: var(--cfm); }
.fdm { color: var(--fdm); }
.more { color: var(--more); }
.exact { color: var(--exact); }
.violet { color: var(--violet); }
.ochre { color: var(--ochre); }
.pink { color: var(--pink); }
.slate { color: var(--slate); }
.curve.violet { stroke-dasharray: 9 4; } /* colours are not all that tells curves apart */
.curve.ochre { stroke-dasharray: 3 3; }
.curve.pink { stroke-dasharray: 12 3 3 3; }
.curve.slate { stroke-dasharray: 6 6; }
small:is(.cfm, .fdm, .more, .violet, .ochre, .pink, .slate) { font-weight: 600; }
.legend { display: inline-flex; flex-wrap: wrap; gap: 0 14px; font-size: 14px; font-weight: 600; }
.legend span::before { content: ""; display: inline-block; width: 16px; height: 3px; border-radius: 2px;
  background: currentColor; margin-right: 6px; vertical-align: middle; }
.legend :is(.violet, .ochre, .pink, .slate)::before { height: 0; background: none; border-top: 3px dashed; }
.legend .ochre::before { border-top-style: dotted; }
.legend .data { color: var(--soft); }
.legend .data::before { height: 10px; background: var(--bars); }
.plane { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 4px 6px; font-size: 12px; color: var(--soft); }
.ends { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 6px; overflow-wrap: anywhere;
  font-variant-numeric: tabular-nums; }
.ends.up { writing-mode: vertical-rl; transform: rotate(180deg); line-height: 1.2; }
.ends.across { grid-column: 2; }
.ends.long span:nth-child(2) { order: 1; flex-basis: 100%; text-align: center; }
.colours { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 10px; margin-top: 14px; font-size: 14px;
  color: var(--soft); font-variant-numeric: tabular-nums; }
.colours .bar { width: 180px; height: 12px; border-radius: 3px; }
.tiles { display: flex; gap: 6px; margin-bottom: 6px; }
.tile { flex: 1 1 0; min-width: 0; }
.tile small, .pairs small { font-size: 12px; line-height: 1.3; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 9px 12px; text-align: right; border-top: 1px solid var(--line); vertical-align: top; }
td { white-space: nowrap; }
thead th { border-top: 0; font-size: 14px; color: var(--soft); vertical-align: bottom; white-space: nowrap; }
.wraps thead th { white-space: normal; }
.texts td { white-space: normal; overflow-wrap: anywhere; }
th { font-weight: 600; overflow-wrap: anywhere; }
th:first-child { text-align: left; padding-left: 0; min-width: 10ch; }
th:last-child, td:last-child { padding-right: 0; }
td .label { display: none; }
.card:has(> table) + .card { margin-top: 14px; }
.note { font-size: 14px; margin-top: 10px; }
ul { margin: 10px 0 0; padding-left: 22px; color: var(--soft); max-width: 80ch; }
ul.found { color: var(--ink); margin-top: 18px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 20px; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--soft); margin-top: 14px; font-size: 14px; }
:focus-visible { outline: 2px solid var(--cfm); outline-offset: 2px; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; margin: 10px 0 0; }
footer { max-width: 1120px; margin: 0 auto; padding: 0 24px 48px; font-size: 14px; color: var(--soft); }
@media (max-width: 1100px) {
  table { font-size: 15px; }
  th, td { padding: 9px 7px; }
}
@media (max-width: 640px) {
  main { padding: 24px 16px 24px; }
  footer { padding: 0 16px 32px; }
  .row { gap: 12px; }
  .row.pictures { grid-template-columns: repeat(auto-fit, minmax(min(140px, 100%), 1fr)); }
  .card { padding: 10px; }
  .verdict { font-size: 16px; padding: 10px 14px; }
  .charts svg text { font-size: 20px; }
  .large text { font-size: 25px; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 8px; }
}
@media (max-width: 960px) { /* a row of the table is a list */
  table, tbody, tr, th, td { display: block; }
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  tr { padding: 8px 0; border-top: 1px solid var(--line); }
  tbody tr:first-child { border-top: 0; }
  th, td { border: 0; padding: 1px 0; text-align: left; }
  td { display: flex; justify-content: space-between; max-width: 30rem; gap: 12px; white-space: normal; font-size: 15px; }
  td span:last-child { white-space: nowrap; }
  .texts td span:last-child { white-space: normal; text-align: right; }
  td .label { display: inline; color: var(--soft); }
  td.none { display: none; }
}
@media print { body { background: #fff; } .card, figure { break-inside: avoid; } }
`;
