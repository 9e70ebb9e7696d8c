// The talks that come with the app: the server builds them of the lessons' trained models (server/talks.py).

import { addressOf } from "../../wire.js";
import { recall, remember } from "../tab_memory.js";
import { read } from "./talk_file.js";

export const SHIPPED = [
  { name: "forty_minutes", title: "The LSTM in forty minutes", meaning: "over the lessons’ models" },
];
const BUILDING = 202, AGAIN = 250; // HTTP's status; ms until the server is asked again
const STORED = "lstm-stage-talk"; // the wish that was granted last, for as long as the tab is open

// Whether there is a server to ask: an exported page has none.
export const served = () => document.querySelector('script[src*="static/js/"]') !== null;

// The talk of this name. tell(done, of): how many of its moments the server has built, while it builds them.
export async function fetchShipped(name, tell) {
  for (;;) {
    const answer = await fetch(addressOf(`talk/${name}`)).catch(() => null);
    if (!answer?.ok) throw new Error(answer ? await answer.text() : "The server does not answer.");
    if (answer.status !== BUILDING) return read(await answer.text());
    const { done, of } = await answer.json();
    tell(done, of);
    await new Promise((resolve) => setTimeout(resolve, AGAIN));
  }
}

let asked = false; // by this page

// Has the server build them, once, before anybody opens one: it takes seconds.
export function makeShipped() {
  if (asked || !served()) return;
  asked = true;
  const ask = ({ name }) => fetch(addressOf(`talk/${name}`), { method: "HEAD" });
  for (const one of SHIPPED) ask(one).catch(() => {}); // it is told when one is opened
}

// A link of another page asks for a talk: wish = { name, at }, at: when. Once: a page that comes back asks again.
export async function openShipped(talk, { name, at }) {
  if (recall(STORED) === String(at)) return;
  remember(STORED, at);
  talk.state.set({ menu: "talk", wanted: name });
}
