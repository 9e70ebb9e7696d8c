// Checks of what somebody else's file brings: each takes a value, or makes a function that does, and tells whether it fits.

export const MOST = 1e6; // of any size

export const number = (value) => typeof value === "number" && Number.isFinite(value);
export const truth = (value) => typeof value === "boolean";
export const text = (most = 2000) => (value) => typeof value === "string" && value.length <= most;
export const whole = (least = 0, most = MOST) => (value) => Number.isInteger(value) && value >= least && value <= most;
export const below = (count) => whole(0, count - 1);
export const among = (names) => (value) => names.includes(value);
export const orNull = (check) => (value) => value === null || check(value);
export const list = (check, length = null) => (value) =>
  Array.isArray(value) && value.length <= MOST && (length === null || value.length === length) && value.every(check);
export const isObject = (value) => value !== null && typeof value === "object";

// fields: name → check.
export const each = (fields, value) => Object.entries(fields).every(([name, check]) => check(value[name]));
