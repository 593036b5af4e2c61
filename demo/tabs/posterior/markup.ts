/** The tab's text and controls, put into the page when it is first opened. */
import { readySimulators } from "./ready.ts";

const choices = (values: readonly number[], chosen: number) =>
  values
    .map(
      (value) =>
        `<option value="${value}"${value === chosen ? " selected" : ""}>${value.toLocaleString("en")}</option>`,
    )
    .join("");

export const markup = `
<div class="page tab" id="posterior-lab">
  <section class="tab-stage" aria-label="Data and parameters">
    <p class="lead">What made this? Drag the point: it is what was observed. On the right are the parameters that could have made
      it, as a flow has learned from simulations alone.</p>
    <div class="transport-row">
      <button id="posterior-start" class="primary" type="button" disabled>Train</button>
      <button id="posterior-reset" type="button">Simulate anew</button>
      <progress id="posterior-progress" max="1" value="0" aria-label="Training"></progress>
    </div>
    <p id="posterior-status" class="status">Preparing …</p>
    <p id="posterior-announcement" role="status" class="unseen"></p>
    <div class="planes">
      <figure class="panel" data-side="left">
        <figcaption><strong>Data</strong> <span id="posterior-data-note">simulations, and what was observed</span></figcaption>
        <canvas id="posterior-data" class="plane"></canvas>
      </figure>
      <figure class="panel" data-side="right">
        <figcaption><strong>Parameters</strong> <span id="posterior-parameters-note">not trained yet</span></figcaption>
        <canvas id="posterior-parameters" class="plane" role="img" aria-label="Preparing"></canvas>
      </figure>
    </div>
    <p id="posterior-help" class="hint">Drag with mouse or finger, or with arrow keys (Shift: larger steps). <i class="key data"></i> simulated;
      <i class="key sample"></i> samples of the posterior over its density on the right, and what is simulated with them on the left<span id="posterior-exact-key">; <i class="key exact"></i> lines that hold half and nine tenths of the exact posterior</span>.</p>
    <div class="row observed">
      <label><span id="posterior-x-name">first</span> <input id="posterior-x" type="number" step="any"></label>
      <label><span id="posterior-y-name">second</span> <input id="posterior-y" type="number" step="any"></label>
    </div>
    <p id="posterior-warning" class="warning" hidden></p>
    <table class="figures one">
      <caption class="unseen">What was measured of the posterior</caption>
      <tbody id="posterior-figures"></tbody>
    </table>
  </section>

  <div class="tab-rail">
    <section class="group" aria-labelledby="posterior-simulator-title">
      <h2 id="posterior-simulator-title">Simulator</h2>
      <label class="stacked">Ready ones
        <select id="posterior-ready">${readySimulators.map(({ name, title }) => `<option value="${name}">${title}</option>`).join("")}<option value="own" hidden>Your own</option></select>
      </label>
      <p id="posterior-about" class="hint"></p>
      <label class="stacked" for="posterior-code">Its text: change it
        <textarea id="posterior-code" tabindex="0" rows="13" spellcheck="false" autocapitalize="off" autocomplete="off" aria-describedby="posterior-language posterior-fault"></textarea>
      </label>
      <p id="posterior-fault" class="fault" role="alert" hidden></p>
      <div id="posterior-priors" class="priors" role="group" aria-label="Known beforehand: each parameter is between these"></div>
      <div class="buttons"><button id="posterior-use" type="button">Simulate this</button></div>
      <details id="posterior-language">
        <summary>What can be written</summary>
        <p class="hint">A small part of JavaScript, read by this page and not by the browser, so that a text can do nothing but
          compute: <code>const</code>, <code>let</code>, <code>if</code>, <code>for</code>, <code>while</code>, <code>return</code>, arithmetic,
          comparisons, lists, <code>Math</code>, <code>random.normal()</code> and <code>random.uniform()</code>. Two parameters go in, two
          numbers come out.</p>
      </details>
    </section>
    <section class="group" aria-labelledby="posterior-training-title">
      <h2 id="posterior-training-title">Training</h2>
      <div class="row">
        <label>Simulations <select id="posterior-simulations">${choices([500, 1000, 2000, 5000, 10000], 2000)}</select></label>
        <label>Steps <select id="posterior-steps">${choices([1000, 2000, 4000, 8000], 4000)}</select></label>
        <label>Method <select id="posterior-weight">
          <option value="0">CFM</option><option value="0.1">FDM 0.1</option><option value="0.3" selected>FDM 0.3</option><option value="1">FDM 1</option><option value="3">FDM 3</option>
        </select></label>
        <label>Noise <select id="posterior-noise"><option value="0">none</option><option value="0.1">0.1</option><option value="0.3">0.3</option></select></label>
        <label>Seed <input id="posterior-seed" type="number" min="0" max="999999" step="1" value="0"></label>
        <label>Runs on <select id="posterior-backend"><option value="auto">best found</option><option value="webgpu">WebGPU</option><option value="wasm">WASM</option></select></label>
      </div>
      <p class="hint">These begin anew. Where simulations are few and parameters many, FDM 3 with noise 0.3 was best in our measurements; it
        blurs posteriors as sharp as these. Choose by the nats learned: they are of simulations that training never saw.</p>
    </section>
  </div>

  <section class="text" aria-labelledby="posterior-text-title">
    <h2 id="posterior-text-title">What you are looking at</h2>
    <div class="columns">
      <div>
        <h3>A simulator, backwards</h3>
        <p>A simulator goes from parameters to data: throw like this, and it lands there. The question is mostly the other one: it landed
          there, how was it thrown? Often more than one answer is right. All of them, each as probable as it is, are the
          <em>posterior</em>.</p>
      </div>
      <div>
        <h3>From simulations alone</h3>
        <p>The page draws parameters, simulates with each, and shows a flow the pairs. It learns to turn random points into
          parameters, being told the data. No formula of the simulator is used: only what it gives.</p>
      </div>
      <div>
        <h3>Why it follows at once</h3>
        <p>The flow has learned the answer to every observation. Another one is another input: a thousand samples by solving the
          same small equation. Nothing is trained while you drag.</p>
      </div>
      <div>
        <h3>Is it right?</h3>
        <p>The ready simulators are simple enough to compute their posterior cell by cell. A classifier that cannot tell its draws from the
          flow's is right half of the time: 0.50. With your own text that line is missing, as in real use. Then look at the
          nats, and whether what is simulated with the samples lies where the observation does.</p>
      </div>
      <div>
        <h3>Nats learned</h3>
        <p>How much more probable the flow finds the true parameters than you did before there were data. 1 nat is a factor of
          2.7. Where the exact posterior is known, so is how much there is to be learned.</p>
      </div>
      <div>
        <h3>Where it does not hold</h3>
        <p>Drag the point to where no simulation is. Something is drawn there too, and nobody ever checked it. The page says so; with your own
          data you have to look.</p>
      </div>
    </div>
  </section>
</div>`;
