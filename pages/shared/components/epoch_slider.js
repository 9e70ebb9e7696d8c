// The browser half of epoch_slider.py: a range over the steps at which weights were kept, and a play button.

import { formatEpoch } from "./canvas.js";
import { component, sender } from "./wire.js";

const PAUSE = 120; // ms on each snapshot while it plays
const HELP = "Which snapshot's weights every picture below shows";

export default component(".epoch-slider", {
  mount: (element, { data }) => mount(element, data.received),
  show(slider, { data: { received, ...message }, setStateValue }) {
    Object.assign(slider, message, { setStateValue });
    show(slider);
    if (received === slider.sent) slider.sender.receive();
  },
  stop,
});

function mount(element, received) {
  const button = element.appendChild(document.createElement("button"));
  const range = element.appendChild(document.createElement("input"));
  const output = element.appendChild(document.createElement("output"));
  Object.assign(range, { type: "range", min: 0, step: 1, title: HELP, ariaLabel: HELP });
  button.type = "button";
  const slider = { element, button, range, output, chosen: received, sent: received };
  slider.sender = sender(() => {
    if (slider.sent === slider.chosen) return false;
    slider.sent = slider.chosen;
    slider.setStateValue("step", slider.chosen);
    return true;
  });
  range.addEventListener("input", () => {
    const index = Number(range.value); // before stop shows the old one
    stop(slider);
    choose(slider, index);
  });
  button.addEventListener("click", () => (slider.playing ? stop(slider) : play(slider)));
  return slider;
}

// chosen: a step, or null for now, which stands last
const indexOf = ({ steps, chosen }) => {
  if (chosen === null) return steps.length;
  const distances = steps.map((step) => Math.abs(step - chosen));
  return distances.indexOf(Math.min(...distances));
};

function choose(slider, index) {
  slider.chosen = slider.steps[index] ?? null;
  show(slider);
  slider.sender.offer();
}

function play(slider) {
  slider.playing = true;
  if (indexOf(slider) === slider.steps.length) choose(slider, 0);
  const next = () => {
    if (!slider.playing) return;
    if (!slider.sender.waiting && slider.sent === slider.chosen) {
      const index = indexOf(slider) + 1;
      choose(slider, index);
      if (index >= slider.steps.length) return stop(slider);
    }
    slider.timer = setTimeout(next, PAUSE);
  };
  slider.timer = setTimeout(next, PAUSE);
  show(slider);
}

function stop(slider) {
  clearTimeout(slider.timer);
  slider.playing = false;
  show(slider);
}

function show(slider) {
  const { button, range, output, steps, playing, stepsPerEpoch, now, best } = slider, index = indexOf(slider);
  range.max = steps.length;
  range.value = index;
  button.textContent = playing ? "❚❚" : "▶";
  button.title = button.ariaLabel = playing ? "Pause" : "Replay training from the start";
  const epoch = (step) => formatEpoch(step / stepsPerEpoch);
  const end = best === null ? `now, epoch ${epoch(now)}` : best === "refit" ? "refit" : `best, epoch ${best}`;
  const text = index === steps.length ? end
    : steps[index] === 0 ? "untrained" : `epoch ${epoch(steps[index])}, step ${steps[index].toLocaleString()}`;
  if (output.textContent !== text) output.textContent = range.ariaValueText = text;
}
