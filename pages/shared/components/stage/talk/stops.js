// The order in which a talk is gone through: a moment is one stop, or two if it asks something: asked, then answered.
// A stop: { at: which moment, asks: whether its question still waits for the answer }.

const arrive = (moments, at) => ({ at, asks: Boolean(moments[at].question) });

export const first = (moments, at = 0) => (moments.length ? arrive(moments, Math.min(at, moments.length - 1)) : null);

// The stop after this one; null after the last.
export function after(moments, { at, asks }) {
  if (asks) return { at, asks: false };
  return at + 1 < moments.length ? arrive(moments, at + 1) : null;
}

// The stop before it, the same way back; null before the first.
export function before(moments, { at, asks }) {
  if (!asks && moments[at].question) return { at, asks: true };
  return at > 0 ? { at: at - 1, asks: false } : null;
}
