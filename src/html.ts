/** A trained model as one HTML file that samples it without a network: `import { exportHtml } from "divflow/html"`. */
export { type ExportHtmlOptions, exportHtml } from "./html/export-html.ts";
