// The axes of a live plot: the range that is shown, the round places in it, and how its numbers and times are written.

import { format, powerOfTen, ticks, withMinus } from "./canvas.js";

const MARGIN = 0.05; // of the range, above and below the lines
const MAX_LOG_TICKS = 6;
const MINUTE = 60, HOUR = 3600, DAY = 86400, MONTH = 30.44 * DAY;
const SPANS = [ // seconds
  1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR,
  6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY,
];
const MONTHS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000];
const NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// place(value): 0 at the axis' low end, 1 at its high one, NaN where a log axis has no such value; at(place): the value.
export function makeAxis([low, high], isLog = false) {
  const to = isLog ? (value) => (value > 0 ? Math.log10(value) : NaN) : (value) => value;
  const from = to(low), span = to(high) - from || 1;
  const at = (place) => (isLog ? 10 ** (from + place * span) : from + place * span);
  return { low, high, isLog, at, place: (value) => (to(value) - from) / span };
}

// The range of all values that an axis can show, with a margin; never empty.
export function rangeOf(arrays, isLog, margin = MARGIN) {
  let low = Infinity, high = -Infinity;
  for (const values of arrays) for (const value of values) {
    if (!Number.isFinite(value) || (isLog && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return isLog ? [0.1, 1] : [0, 1];
  if (isLog) {
    const room = low === high ? 0.2 : margin * Math.log10(high / low);
    return [Math.max(low * 10 ** -room, Number.MIN_VALUE), Math.min(high * 10 ** room, Number.MAX_VALUE)];
  }
  const room = low === high ? Math.abs(low) * 0.05 || 0.5 : margin * (high - low);
  return [low - room, high + room];
}

// [{ value, text }] of the places in an axis' range, about `count` of them.
export function axisTicks(axis, count, start = null) {
  const { low, high, isLog } = axis, inside = ({ value }) => value >= low && value <= high;
  if (start !== null) return dateTicks(low, high, count, start);
  const places = isLog ? logTicks(low, high).filter(inside) : [];
  if (places.length > 1) return places;
  return linearTicks(low, high, count).filter(inside); // also of a log axis whose range is less than one power
}

function linearTicks(low, high, count) {
  const values = ticks(low, high, count), step = values.length > 1 ? values[1] - values[0] : high - low;
  const large = Math.max(Math.abs(low), Math.abs(high)), digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  return values.map((value) => ({ value, text: numberText(Math.abs(value) < step / 1e6 ? 0 : value, digits, large) }));
}

function numberText(value, digits, large) {
  if (value && (large >= 1e6 || digits > 5)) return format(value, 6);
  const grouping = Math.abs(value) >= 10_000; // 2,008 would not be a year
  return withMinus(value.toLocaleString("en-US", {
    minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: grouping,
  }));
}

// Between the two ends and around them: digits between powers of ten where there is room, else every so many powers.
export function logTicks(least, most) {
  const low = Math.log10(least), high = Math.log10(most);
  const candidates = [[1, 1.5, 2, 3, 4, 5, 6, 8], [1, 2, 5], [1, 3], [1]].map((digits) => ticksOf(low, high, digits, 1));
  const steps = [2, 3, 5, 10, 20, 50, 100, 200].map((step) => ticksOf(low, high, [1], step));
  const chosen = [...candidates, ...steps].find((all) =>
    all.filter(({ value }) => value >= least && value <= most).length <= MAX_LOG_TICKS);
  const large = chosen.some(({ power }) => Math.abs(power) > 4);
  return chosen.map(({ digit, power, value }) => {
    if (!large) return { value, text: String(Number(value.toPrecision(2))) };
    return { value, text: `${digit === 1 ? "" : `${digit}·`}${powerOfTen(power)}` };
  });
}

function ticksOf(low, high, digits, step) {
  const all = [];
  for (let power = step * Math.floor(low / step); power <= high + step; power += step) {
    all.push(...digits.map((digit) => ({ digit, power, value: Number(`${digit}e${power}`) })));
  }
  return all.filter(({ value }) => value > 0 && value < Infinity);
}

// Places on an axis in seconds after `start`, which is in ms since 1970; in UTC, as the table's times have no zone.
function dateTicks(low, high, count, start) {
  const each = (high - low) / count, span = SPANS.find((seconds) => seconds >= each);
  const from = start + 1000 * low, to = start + 1000 * high, places = [];
  if (span) {
    for (let ms = Math.ceil(from / (1000 * span)) * 1000 * span; ms <= to; ms += 1000 * span) places.push(ms);
  } else {
    const months = MONTHS.find((number) => number * MONTH >= each) ?? MONTHS.at(-1), first = new Date(from);
    const begin = Math.floor((12 * first.getUTCFullYear() + first.getUTCMonth()) / months) * months;
    for (let month = begin; ; month += months) {
      const ms = new Date(0).setUTCFullYear(Math.floor(month / 12), month % 12, 1);
      if (!(ms <= to) || places.length > 50) break;
      if (ms >= from) places.push(ms);
    }
    if (months >= 12) return places.map((ms) => ({ value: (ms - start) / 1000, text: dateText(ms).slice(0, -6) }));
  }
  const shown = (ms) => {
    const date = new Date(ms), [, month, day] = dateText(ms).split("-").map(Number);
    if (!span) return `${NAMES[month - 1]} ${date.getUTCFullYear()}`;
    if (span >= DAY || ms % (1000 * DAY) === 0) return `${day} ${NAMES[month - 1]} ${date.getUTCFullYear()}`;
    return date.toISOString().slice(11, span < MINUTE ? 19 : 16);
  };
  return places.map((ms) => ({ value: (ms - start) / 1000, text: shown(ms) }));
}

const dateText = (ms) => new Date(ms).toISOString().split("T")[0].replace(/^\+0*/, "");

// What the readout calls a place on the x axis.
export function placeText(value, start) {
  if (start === null) {
    const digits = Math.abs(value) < 1000 ? { maximumSignificantDigits: 4 } : { maximumFractionDigits: 2 };
    return withMinus(value.toLocaleString("en-US", { ...digits, useGrouping: Math.abs(value) >= 10_000 }));
  }
  const ms = start + 1000 * value, date = new Date(ms);
  if (!Number.isFinite(date.getTime())) return "–";
  return ms % (1000 * DAY) ? date.toISOString().slice(0, 19).replace("T", " ") : dateText(ms);
}
