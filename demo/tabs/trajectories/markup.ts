/** The tab's text and controls, put into the page when it is first opened. */
import { shownSystems } from "./systems.ts";

const panel = (side: "left" | "right", id: string, title: string) => `
      <figure class="panel" data-side="${side}">
        <figcaption><strong>${title}</strong> <span id="trajectories-${id}-note"></span></figcaption>
        <canvas id="trajectories-${id}" class="plane" role="img" aria-label="Preparing"></canvas>
        <canvas id="trajectories-${id}-series" class="series" role="img" aria-label="Preparing"></canvas>
      </figure>`;

export const markup = `
<div class="page tab" id="trajectories-lab">
  <section class="tab-stage" aria-label="Trajectories">
    <p class="lead">A flow can draw whole courses of events, not points alone. This one has learned trajectories of a system; ask it for those
      in which something rare happens.</p>
    <div class="transport-row">
      <button id="trajectories-again" class="primary" type="button">Draw others</button>
      <button id="trajectories-start" type="button" disabled>Train on</button>
      <progress id="trajectories-progress" max="1" value="0" aria-label="Drawing"></progress>
    </div>
    <p id="trajectories-status" class="status">Preparing …</p>
    <p id="trajectories-announcement" role="status" class="unseen"></p>
    <div class="planes">${panel("left", "true", "True")}${panel("right", "drawn", "Generated")}
    </div>
    <p class="hint">Above: two numbers of the state against each other. Below: the first one against time. One trajectory is drawn strongly, so that the
      eye can follow it. On the left are solutions of the equations that the model never saw.</p>
    <table class="figures">
      <caption class="unseen">What was measured of the trajectories</caption>
      <thead><tr><th scope="col"><span class="unseen">Measure</span></th><th scope="col" class="left">True</th><th scope="col" class="right">Generated</th></tr></thead>
      <tbody id="trajectories-figures"></tbody>
    </table>
  </section>

  <div class="tab-rail">
    <section class="group" aria-labelledby="trajectories-system-title">
      <h2 id="trajectories-system-title">System</h2>
      <label class="stacked">Whose trajectories
        <select id="trajectories-system">${shownSystems.map(({ name, title }) => `<option value="${name}">${title}</option>`).join("")}</select>
      </label>
      <p id="trajectories-about" class="hint"></p>
    </section>
    <section class="group" aria-labelledby="trajectories-event-title">
      <h2 id="trajectories-event-title">Ask for an event</h2>
      <label class="stacked">Only trajectories that
        <select id="trajectories-event"></select>
      </label>
      <div id="trajectories-asked" class="asked" hidden>
        <label class="stacked"><span>T: <output id="trajectories-threshold-value" for="trajectories-threshold"></output></span>
          <input id="trajectories-threshold" type="range" step="0.05">
        </label>
        <label class="stacked"><span>Strength: <output id="trajectories-strength-value" for="trajectories-strength"></output></span>
          <input id="trajectories-strength" type="range" min="0.5" max="5" step="0.5" value="2">
        </label>
      </div>
      <p class="hint">The model was not trained for it. While it draws, each trajectory is led to where the event holds, by the gradient of
        its probability; it takes twice as long. Stronger is surer, and farther off the equations: both are in the table.</p>
    </section>
    <section class="group" aria-labelledby="trajectories-sampling-title">
      <h2 id="trajectories-sampling-title">Sampling and training</h2>
      <div class="row">
        <label>Steps <select id="trajectories-steps"><option>5</option><option>10</option><option selected>20</option><option>40</option></select></label>
        <label>Seed <input id="trajectories-seed" type="number" min="0" max="9999" step="1" value="0"></label>
        <label>Method <select id="trajectories-weight"><option value="0">CFM</option><option value="0.1">FDM 0.1</option><option value="0.3">FDM 0.3</option></select></label>
        <label>Runs on <select id="trajectories-backend"><option value="auto">best found</option><option value="webgpu">WebGPU</option><option value="wasm">WASM</option></select></label>
      </div>
      <p id="trajectories-model" class="hint"></p>
    </section>
  </div>

  <section class="text" aria-labelledby="trajectories-text-title">
    <h2 id="trajectories-text-title">What you are looking at</h2>
    <div class="columns">
      <div>
        <h3>A trajectory is a point, too</h3>
        <p>Sixty states of three numbers are 180 numbers: one point in 180 dimensions. The flow moves such points from noise to where
          trajectories are, as on the first tab in two dimensions. Its network reads them as a sequence.</p>
      </div>
      <div>
        <h3>It does not know the equations</h3>
        <p>It has seen solutions, and nothing else. “Off the equations” in the table says how far each state lies from where the true
          system leads the one before, beside how far it leads: 0 is a solution, 1 as wrong as standing still.</p>
      </div>
      <div>
        <h3>Rare events</h3>
        <p>Waiting until a rare event turns up by chance may take thousands of solutions. A flow can be asked for it: its samples show how
          such events come about. How rare they are is in the left column; guided samples do not tell that.</p>
      </div>
    </div>
  </section>
</div>`;
