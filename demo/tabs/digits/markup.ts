/** The tab's text and controls, put into the page when it is first opened. */

export const markup = `
<div class="page tab" id="digits-lab">
  <section class="tab-stage" aria-label="Digits">
    <p class="lead">From noise to handwriting: each of these pictures is a point of 196 numbers that the flow moves, told which digit it is to
      become.</p>
    <div class="transport-row">
      <button id="digits-again" class="primary" type="button">Draw others</button>
      <button id="digits-start" type="button" disabled>Train on</button>
      <progress id="digits-progress" max="1" value="0" aria-label="Drawing"></progress>
    </div>
    <p id="digits-status" class="status">Preparing …</p>
    <p id="digits-announcement" role="status" class="unseen"></p>
    <div class="sheets">
      <figure class="panel" data-side="right">
        <figcaption><strong>Generated</strong> <span id="digits-drawn-note"></span></figcaption>
        <canvas id="digits-drawn" class="sheet" role="img" aria-label="Preparing"></canvas>
      </figure>
      <fieldset class="time"><legend class="unseen">Time of the flow</legend>
        <button id="digits-play" type="button">Play</button>
        <label for="digits-time"><span class="ends">noise</span><span class="unseen">: time of the flow</span></label>
        <input id="digits-time" type="range" min="0" max="1" step="0.01" value="1">
        <span class="ends">data</span>
        <output id="digits-time-value" for="digits-time">t = 1.00</output>
      </fieldset>
      <figure class="panel" data-side="left">
        <figcaption><strong>True</strong> <span>of the 1,000 that training on takes</span></figcaption>
        <canvas id="digits-true" class="sheet" role="img" aria-label="Preparing"></canvas>
      </figure>
    </div>
  </section>

  <div class="tab-rail">
    <section class="group" aria-labelledby="digits-ask-title">
      <h2 id="digits-ask-title">What is drawn</h2>
      <label class="stacked">Digit
        <select id="digits-label"><option value="all">all ten, a column each</option>${Array.from({ length: 10 }, (_, i) => `<option>${i}</option>`).join("")}</select>
      </label>
      <label class="stacked"><span>Guidance: <output id="digits-guidance-value" for="digits-guidance">1.5</output></span>
        <input id="digits-guidance" type="range" min="0" max="5" step="0.5" value="1.5">
      </label>
      <p class="hint">0: as if no digit were told. 1: as learned. Above it pictures are more of their digit, and more alike.</p>
      <div class="row">
        <label>Steps <select id="digits-steps"><option>2</option><option>4</option><option>8</option><option selected>16</option><option>32</option></select></label>
        <label>Seed <input id="digits-seed" type="number" min="0" max="9999" step="1" value="0"></label>
        <label>Runs on <select id="digits-backend"><option value="auto">best found</option><option value="webgpu">WebGPU</option><option value="wasm">WASM</option></select></label>
      </div>
      <p id="digits-model" class="hint"></p>
    </section>
  </div>

  <section class="text" aria-labelledby="digits-text-title">
    <h2 id="digits-text-title">What you are looking at</h2>
    <div class="columns">
      <div>
        <h3>The same rule, more numbers</h3>
        <p>As on the first tab, a network says with which velocity to move at a place and a time. Here a place is a picture of
          14 by 14 pixels, half as fine as the originals, so that it runs on any device.</p>
      </div>
      <div>
        <h3>Told which digit</h3>
        <p>In training the network was told each picture's digit, but for one in seven. So it knows both velocities, told and not told, and
          guidance goes farther along their difference. It is asked twice for each step then.</p>
      </div>
      <div>
        <h3>Few steps</h3>
        <p>A step goes straight on for a while. With two steps pictures are blurred, with 16 they are as good as this small
          model makes them. Drag the time to see what is decided early, and what late.</p>
      </div>
    </div>
  </section>
</div>`;
