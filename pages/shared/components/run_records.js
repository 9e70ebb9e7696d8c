// A run's records, read by the browser itself: no script runs for it. One reader a run, however many plots show it.
// The formats are those of lstm_core/runs/records.py and pages/shared/server/buckets.py.

const EVERY = 250, AT_MOST = 5000; // ms between two readings; and after several that failed
const FIRST = 40, FIRST_TRIES = 75; // ms: the first point of a run that has just been started is waited for
const BUCKETS = 2000, CAPACITY = 4096; // asked for at first, and kept
const RECORD = 40, FULL = 50_000; // bytes of a record; an answer with so many of them was cut short
const HEAD = 16, STATISTICS = 4;
const OFFSETS = { train_loss: 32, valid_loss: 24, grad_norm: 36 }; // in a record; in the order of the buckets' fields

// All records so far in at most CAPACITY buckets of `size` records, of which only the last may have fewer. Of each
// field: the lowest, highest and summed finite value of every bucket, and how many are finite.
export class History {
  constructor() {
    Object.assign(this, { covered: 0, size: 1 });
    const make = () => Array.from({ length: STATISTICS }, () => new Float64Array(CAPACITY));
    this.fields = Object.fromEntries(Object.keys(OFFSETS).map((name) => [name, make()]));
  }

  get buckets() { return Math.ceil(this.covered / this.size); }

  load(bytes) {
    const [covered, size, buckets] = new Uint32Array(bytes, 0, 3), table = new Float32Array(bytes, HEAD);
    Object.values(this.fields).forEach(([low, high, sum, count], field) => {
      const row = (k) => table.subarray((STATISTICS * field + k) * buckets, (STATISTICS * field + k + 1) * buckets);
      low.set(row(0));
      high.set(row(1));
      count.set(row(3));
      row(2).forEach((mean, k) => { sum[k] = count[k] ? mean * count[k] : 0; });
    });
    Object.assign(this, { covered, size });
  }

  append(bytes) {
    const view = new DataView(bytes), fields = Object.entries(this.fields);
    for (let at = 0; at + RECORD <= bytes.byteLength; at += RECORD) {
      if (this.covered === CAPACITY * this.size) this.halve();
      const bucket = Math.floor(this.covered / this.size), begins = this.covered % this.size === 0;
      for (const [name, [low, high, sum, count]] of fields) {
        const place = at + OFFSETS[name];
        const value = name === "valid_loss" ? view.getFloat64(place, true) : view.getFloat32(place, true);
        if (begins) low[bucket] = high[bucket] = sum[bucket] = count[bucket] = 0;
        if (!Number.isFinite(value)) continue;
        low[bucket] = count[bucket] ? Math.min(low[bucket], value) : value;
        high[bucket] = count[bucket] ? Math.max(high[bucket], value) : value;
        sum[bucket] += value;
        count[bucket] += 1;
      }
      this.covered += 1;
    }
  }

  halve() {
    for (const [low, high, sum, count] of Object.values(this.fields)) {
      for (let k = 0; k < CAPACITY / 2; k++) {
        const pair = [2 * k, 2 * k + 1].filter((bucket) => count[bucket]);
        low[k] = Math.min(...pair.map((bucket) => low[bucket]));
        high[k] = Math.max(...pair.map((bucket) => high[bucket]));
        sum[k] = sum[2 * k] + sum[2 * k + 1];
        count[k] = count[2 * k] + count[2 * k + 1];
      }
    }
    this.size *= 2;
  }

  // { x, low, high, mean } of the buckets that have a value; x: of a bucket's last record, in epochs.
  points(field, stepsPerEpoch) {
    const [low, high, sum, count] = this.fields[field], kept = [];
    for (let k = 0; k < this.buckets; k++) if (count[k]) kept.push(k);
    const take = (value) => Float64Array.from(kept, value);
    return {
      x: take((k) => Math.min((k + 1) * this.size, this.covered) / stepsPerEpoch),
      low: take((k) => low[k]), high: take((k) => high[k]), mean: take((k) => sum[k] / count[k]),
    };
  }
}

// Reads on until told otherwise; changed(): there is more than before. url: of the run, as routes.py serves it.
export function follow(url, changed) {
  const readers = (window.lstmRunReaders ??= new Map()); // of the page: each plot has this module for itself
  if (!readers.has(url)) readers.set(url, new Reader(url));
  const reader = readers.get(url), plot = { changed, active: false, visible: true };
  reader.plots.add(plot);
  reader.wake();
  return {
    get history() { return reader.history; },
    // active: the run may go on; visible: the plot is on the screen
    set(state) {
      Object.assign(plot, state);
      reader.wake();
    },
    stop() {
      reader.plots.delete(plot);
      if (reader.plots.size) return;
      reader.stop();
      readers.delete(url);
    },
  };
}

class Reader {
  constructor(url) {
    Object.assign(this, { url, history: null, plots: new Set(), timer: null, wait: EVERY, tries: 0, isAtEnd: false });
    this.onVisible = () => this.wake();
    document.addEventListener("visibilitychange", this.onVisible);
  }

  // Whether there can be something new that somebody sees.
  get isNeeded() {
    const plots = [...this.plots], isActive = plots.some(({ active }) => active);
    if (isActive) this.isAtEnd = false;
    return !document.hidden && plots.some(({ visible }) => visible) && !(this.history && this.isAtEnd);
  }

  wake() {
    if (this.timer === null && !this.reading && this.isNeeded) this.timer = setTimeout(() => this.read(), 0);
  }

  async read() {
    this.timer = null;
    this.reading = new AbortController();
    const wasActive = [...this.plots].some(({ active }) => active); // before: what it wrote last is then there
    try {
      if (await this.take()) for (const { changed } of this.plots) changed();
      else if (!wasActive) this.isAtEnd = true;
      this.wait = EVERY;
    } catch (error) {
      if (error.name === "AbortError") return;
      this.wait = Math.min(2 * this.wait, AT_MOST); // the server restarts, or the run has no folder yet
    }
    if (!this.history?.covered && ++this.tries < FIRST_TRIES) this.wait = FIRST;
    this.reading = null;
    if (this.isNeeded) this.timer = setTimeout(() => this.read(), this.wait);
  }

  // The records that came since; whether there are any.
  async take() {
    if (!this.history || this.isBehind) {
      const bytes = await this.get(`curves?buckets=${BUCKETS}`), history = new History();
      history.load(bytes);
      Object.assign(this, { history, isBehind: false });
      return true;
    }
    const bytes = await this.get(`records?from=${this.history.covered}`);
    this.isBehind = bytes.byteLength >= FULL * RECORD; // then buckets are faster
    if (!this.isBehind) this.history.append(bytes);
    return bytes.byteLength > 0;
  }

  async get(what) {
    const answer = await fetch(`${this.url}/${what}`, { cache: "no-store", signal: this.reading.signal });
    if (!answer.ok) throw new Error(`${what}: ${answer.status}`);
    return answer.arrayBuffer();
  }

  stop() {
    clearTimeout(this.timer);
    this.reading?.abort();
    document.removeEventListener("visibilitychange", this.onVisible);
  }
}
