// Which step, or which snapshot of the training, each frame of a film shows. Time is counted in frames: none is left
// out, and none comes twice.

const HOLD = 1; // s that the last one stays

// from, to: the first and the last one that is shown; rate: how many a second. { frames, seconds, at(frame) }
export function planOf({ from, to, rate, fps }) {
  const way = to < from ? -1 : 1, steps = Math.abs(to - from) + 1, frames = Math.ceil((steps / rate + HOLD) * fps);
  const at = (frame) => from + way * Math.min(steps - 1, Math.floor((frame * rate) / fps + 1e-9));
  return { frames, seconds: frames / fps, at };
}

export const duration = (seconds) => {
  const whole = Math.round(seconds), minutes = Math.floor(whole / 60);
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
};
