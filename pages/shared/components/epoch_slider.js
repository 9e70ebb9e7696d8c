// The browser half of epoch_slider.py: a range over the steps at which weights were kept, and a play button.
// The next choice is told only once the page has drawn the last one, so that dragging never builds a queue.

const PAUSE = 120; // ms on each snapshot while it plays
const PATIENCE = 3000; // ms after which an answer is no longer waited for
const HELP = "Weights of which moment of training: every picture below obeys";

const sliders = new WeakMap(); // element -> what must outlive one message

export default function ({ data, parentElement, setStateValue }) {
  const element = parentElement.querySelector(".epoch-slider");
  if (!sliders.has(element)) sliders.set(element, mount(element, data.told));
  const slider = sliders.get(element);
  const { told, ...message } = data;
  Object.assign(slider, message, { setStateValue });
  show(slider);
  if (told === slider.told) answered(slider);
  // Streamlit also runs the cleanup of an overtaken call while the slider is still on the page.
  return () => { if (!element.isConnected) stop(slider); };
}

function mount(element, told) {
  const button = element.appendChild(document.createElement("button"));
  const range = element.appendChild(document.createElement("input"));
  const words = element.appendChild(document.createElement("output"));
  Object.assign(range, { type: "range", min: 0, step: 1, title: HELP, ariaLabel: HELP });
  button.type = "button";
  const slider = { element, button, range, words, chosen: told, told };
  range.addEventListener("input", () => {
    const at = Number(range.value); // before stop shows the old place
    stop(slider);
    choose(slider, at);
  });
  button.addEventListener("click", () => (slider.playing ? stop(slider) : play(slider)));
  return slider;
}

// chosen: a step, or null for now, which stands last
const place = ({ steps, chosen }) => {
  if (chosen === null) return steps.length;
  const far = steps.map((step) => Math.abs(step - chosen));
  return far.indexOf(Math.min(...far));
};

function choose(slider, at) {
  slider.chosen = slider.steps[at] ?? null;
  show(slider);
  tell(slider);
}

function tell(slider) {
  if (slider.waiting || slider.told === slider.chosen) return;
  slider.told = slider.chosen;
  slider.waiting = setTimeout(() => answered(slider), PATIENCE);
  slider.setStateValue("step", slider.chosen);
}

function answered(slider) {
  clearTimeout(slider.waiting);
  slider.waiting = null;
  tell(slider);
}

function play(slider) {
  slider.playing = true;
  if (place(slider) === slider.steps.length) choose(slider, 0);
  const next = () => {
    if (!slider.playing) return;
    if (!slider.waiting && slider.told === slider.chosen) {
      const at = place(slider) + 1;
      choose(slider, at);
      if (at >= slider.steps.length) return stop(slider);
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
  const { button, range, words, steps, playing, steps_per_epoch: size, now } = slider, at = place(slider);
  range.max = steps.length;
  range.value = at;
  button.textContent = playing ? "❚❚" : "▶";
  button.title = button.ariaLabel = playing ? "Pause" : "Replay the learning from the start";
  const epoch = (step) => Number((step / size).toPrecision(3)).toLocaleString();
  const said = at === steps.length ? `now, epoch ${epoch(now)}`
    : steps[at] === 0 ? "untrained" : `epoch ${epoch(steps[at])}, step ${steps[at].toLocaleString()}`;
  if (words.textContent !== said) words.textContent = range.ariaValueText = said;
}
