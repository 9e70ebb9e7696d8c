// Keeps a tab's address up to date, in its own entry of the browser's history: Back leads to the page before, and not
// through every change of a setting.

import { component } from "./wire.js";

export default component(".address", {
  mount: () => ({}),
  show(view, { data }) {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(data.parameters)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    if (url.href !== location.href) history.replaceState(history.state, "", url);
  },
});
