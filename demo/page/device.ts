/** This device: what runs here and why, and a check of its kernels with a report to copy. */
import cases from "../cases.json" with { type: "json" };
import type { DeviceFacts, ToWorker } from "../messages.ts";
import { element } from "./elements.ts";

export function showDevice({ backend, device, reason, threads, limits }: DeviceFacts): void {
  const rows = [["Backend", backend], ["Device", device], ["Why", reason], ["Threads", threads], ...limits];
  element("device").replaceChildren(
    ...rows.flatMap(([name = "", value = ""]) => {
      const [term, what] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      what.textContent = value;
      return [term, what];
    }),
  );
}

/** By golden cases that ship with the library, of small networks: values and gradients to the second order. */
export function offerVerify(send: (message: ToWorker) => void): void {
  const button = element<HTMLButtonElement>("verify");
  button.addEventListener("click", async () => {
    button.disabled = true;
    button.textContent = "Verifying …";
    try {
      const texts = cases.map(async (name) => {
        const answer = await fetch(new URL(`divflow/cases/${name}.json`, document.baseURI));
        if (!answer.ok) throw new Error(`The case ${name} could not be had.`);
        return { name, text: await answer.text() };
      });
      send({ kind: "verify", cases: await Promise.all(texts) });
    } catch (error) {
      showReport(error instanceof Error ? error.message : String(error));
    }
  });
  element("copy-report").addEventListener("click", async () => {
    const copied = await navigator.clipboard.writeText(element<HTMLTextAreaElement>("report").value).then(
      () => true,
      () => false,
    );
    element("copy-report").textContent = copied ? "Copied" : "Not allowed here: select it by hand";
  });
}

export function showReport(report: string): void {
  const button = element<HTMLButtonElement>("verify");
  button.disabled = false;
  button.textContent = "Verify the kernels";
  element("report").hidden = false;
  element<HTMLTextAreaElement>("report").value = report;
  element("copy-report").hidden = false;
  element("copy-report").textContent = "Copy the report";
}
