// What the stage shows, and who listens to it. Every part draws from it and none from another part.

export class State {
  constructor(fields) {
    this.fields = fields;
    this.changed = new Set();
    this.listeners = [];
    this.frame = null;
    return new Proxy(this, { get: (self, name) => (name in self.fields ? self.fields[name] : self[name]) });
  }

  on(listener) { this.listeners.push(listener); }

  // The listeners hear of it once a frame, with the names of all that changed.
  set(changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (Object.is(this.fields[name], value)) continue;
      this.fields[name] = value;
      this.changed.add(name);
    }
    if (this.changed.size) this.frame ??= requestAnimationFrame(() => this.notify());
  }

  // What a listener has set meanwhile is among `changed`, and drawn in the same frame.
  absorb(changed) {
    for (const name of this.changed) changed.add(name);
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.changed = new Set();
  }

  notify() {
    cancelAnimationFrame(this.frame);
    const changed = this.changed;
    this.frame = null;
    this.changed = new Set();
    for (const listener of this.listeners) listener(changed);
  }
}
