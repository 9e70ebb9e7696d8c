// A talk on the stage: a line with its title over the strip, and a question over the cell until it is answered.

import { child } from "../../canvas.js";

export function mount(root, state) {
  const caption = child(root, "div", { class: "stage-talk-caption" });
  const count = child(caption, "span", { class: "stage-talk-count" }), title = child(caption, "b", {});
  const told = child(caption, "p", {});
  const card = child(root, "div", { class: "stage-talk-question", role: "dialog", "aria-label": "Question" });
  const asked = child(card, "p", {}), list = child(card, "ol", {});
  return {
    element: caption,
    update(changed) {
      const { giving, talk } = state, moment = giving && talk.moments[giving.at];
      const talking = Boolean(moment);
      if (talking !== root.classList.contains("stage-talking")) {
        root.classList.toggle("stage-talking", talking);
        state.set({ size: `${root.clientWidth} ${root.clientHeight} ${talking}` }); // all is painted to its new height
      }
      caption.hidden = !moment;
      card.hidden = !(moment && giving.asks);
      if (!moment) return;
      put(count, `${giving.at + 1} / ${talk.moments.length}`);
      put(title, moment.title);
      const answer = moment.question ? toldOf(moment.question, giving) : "";
      if (told.textContent !== answer || changed.has("size")) {
        put(told, answer);
        told.removeAttribute("data-long");
        told.toggleAttribute("data-long", told.scrollWidth > told.clientWidth); // then it has two lines of smaller letters
      }
      put(asked, moment.question?.text ?? "");
      showChoices(list, moment.question?.choices ?? [], giving.chosen);
    },
  };
}

const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };

// The right choice and the answer, once it may be seen.
export function toldOf({ choices, right, answer }, { asks, chosen }) {
  if (asks) return "";
  const tick = right === null ? "" : `Answer ${right + 1}: ${choices[right]}. `;
  const guess = chosen === null || right === null ? "" : chosen === right ? "✓ " : `Not ${chosen + 1}. `;
  return `${guess}${tick}${answer}`;
}

function showChoices(list, choices, chosen) {
  while (list.children.length > choices.length) list.lastChild.remove();
  choices.forEach((choice, k) => {
    const item = list.children[k] ?? child(list, "li", {});
    put(item, choice);
    item.toggleAttribute("aria-current", k === chosen);
  });
}
