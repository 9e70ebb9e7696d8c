// What a speaker writes to a moment: its title, a question with its answer, and notes.

import { child } from "../../canvas.js";
import { CHOICES } from "./moment.js";

// save(changes): of the moment's fields, as they are written.
export function mount(parent, moment, save) {
  const box = child(parent, "div", { class: "stage-talk-form" }), { question } = moment;
  const title = field(box, "input", "Title", moment.title, 300);
  const asked = field(box, "textarea", "Question to the audience", question?.text ?? "", 1000);
  const choices = Array.from({ length: CHOICES }, (_, k) => {
    const line = child(box, "label", { class: "stage-talk-choice" });
    const name = `Choice ${k + 1}`, about = { title: "This one is right", "aria-label": `${name} is right` };
    const right = child(line, "input", { type: "radio", name: "right", ...about });
    right.checked = question?.right === k;
    const text = child(line, "input", { placeholder: name, "aria-label": name, maxlength: 500 });
    text.value = question?.choices[k] ?? "";
    return { right, text };
  });
  const answer = field(box, "textarea", "Answer", question?.answer ?? "", 2000);
  const notes = field(box, "textarea", "Notes, for the speaker alone", moment.notes, 20_000);
  box.addEventListener("change", () => save({
    title: title.value.trim() || moment.title, notes: notes.value, question: questionOf(asked, choices, answer),
  }));
}

function questionOf(asked, choices, answer) {
  const text = asked.value.trim();
  if (!text) return null;
  const given = choices.filter((choice) => choice.text.value.trim()), texts = given.map((one) => one.text.value.trim());
  const right = given.findIndex((one) => one.right.checked);
  return { text, choices: texts, right: right < 0 ? null : right, answer: answer.value.trim() };
}

function field(box, tag, title, value, most) {
  const label = child(box, "label", {});
  child(label, "span", {}).textContent = title;
  const made = child(label, tag, { maxlength: most, ...(tag === "textarea" ? { rows: 2 } : {}) });
  made.value = value;
  return made;
}
