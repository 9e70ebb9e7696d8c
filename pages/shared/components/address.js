// Keeps a tab's address up to date, in its own entry of the browser's history: Back leads to the page before, and not
// through every change of a setting.

import { component } from "./wire.js";

// Streamlit comes to a page by its bare path and adds the run's id a moment later: that is the same entry, not a next.
function addIdInPlace() {
  const push = history.pushState;
  if (push.addsIdInPlace) return;
  history.pushState = function pushState(state, title, url) {
    const isSamePage = new URL(url, location.href).pathname === location.pathname;
    const lacksId = !new URLSearchParams(location.search).has("run");
    (isSamePage && lacksId ? history.replaceState : push).call(history, state, title, url);
  };
  history.pushState.addsIdInPlace = true;
}

export default component(".address", {
  mount() {
    addIdInPlace();
    return {};
  },
  show(view, { data }) {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(data.parameters)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  },
});
