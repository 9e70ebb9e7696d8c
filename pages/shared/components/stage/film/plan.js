// Which step each frame of a film shows. Time is counted in frames: none is left out, and none comes twice.

const HOLD = 1; // s that the last step stays

// from, to: steps, in the order in which they play; rate: steps a second. { frames, seconds, stepAt(frame) }
export function planOf({ from, to, rate, fps }) {
  const way = to < from ? -1 : 1, steps = Math.abs(to - from) + 1, frames = Math.ceil((steps / rate + HOLD) * fps);
  const stepAt = (frame) => from + way * Math.min(steps - 1, Math.floor((frame * rate) / fps + 1e-9));
  return { frames, seconds: frames / fps, stepAt };
}

export const duration = (seconds) => {
  const whole = Math.round(seconds), minutes = Math.floor(whole / 60);
  return minutes ? `${minutes} min ${whole % 60} s` : `${whole} s`;
};
