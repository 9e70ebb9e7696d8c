// What a tab of the browser remembers until it is closed.

// null: nothing; otherwise: what counts where the browser may store nothing.
export function recall(name, otherwise = null) {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return otherwise;
  }
}

export function remember(name, value) {
  try {
    sessionStorage.setItem(name, value);
  } catch {
    // nothing is kept: recall tells
  }
}
