// The talk that is being made, kept in this browser: it outlives a change of page, a reload and the server.
//
// IndexedDB, since a talk is megabytes: sessionStorage takes five, as text, and blocks the page while it writes; and
// the server need never see it. One for all tabs: a tab that comes to the front reads what another one wrote.

const DATABASE = "lstm-stage", STORE = "talks", CURRENT = "current";

let opened = null;

function database() {
  opened ??= new Promise((done, failed) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  return opened;
}

async function ask(mode, act) {
  const store = (await database()).transaction(STORE, mode).objectStore(STORE), asked = act(store);
  return new Promise((done, failed) => {
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
}

// The kept talk with its revision, or null. Where the browser keeps nothing, a talk lives as long as the page.
export const load = () => ask("readonly", (store) => store.get(CURRENT)).then((kept) => kept ?? null, () => null);

export const store = (talk) => ask("readwrite", (store) => store.put(talk, CURRENT)).then(() => true, () => false);
