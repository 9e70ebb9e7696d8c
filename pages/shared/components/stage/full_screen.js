// Stage mode fills the screen; where the browser allows no full screen, or nobody pressed a key, it fills the window.

export function toggleStage(element, state) {
  const large = !state.stage;
  state.set({ stage: large });
  if (large) element.requestFullscreen?.().catch(() => {}); // refused: the style sheet fills the window
  else leaveScreen(element);
}

const leaveScreen = (element) => {
  if (document.fullscreenElement === element) document.exitFullscreen().catch(() => {});
};

// Esc and the browser's own button leave the full screen without a key of ours: stage mode ends with it.
export function watchScreen(element, state) {
  let was = false;
  const changed = () => {
    const is = document.fullscreenElement === element;
    if (was && !is) state.set({ stage: false });
    was = is;
  };
  document.addEventListener("fullscreenchange", changed);
  return () => {
    document.removeEventListener("fullscreenchange", changed);
    leaveScreen(element);
  };
}
