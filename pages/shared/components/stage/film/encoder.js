// Frames in, a file out: the browser's own encoder (WebCodecs), and the container that its codec belongs into.

import { asMp4 } from "./mp4.js";
import { asWebm } from "./webm.js";

export const MISSING = "This browser cannot encode a film here: it takes WebCodecs, which current Chrome, Edge, "
  + "Firefox and Safari have, on a page that is opened from localhost or over https.";

const SECONDS = 2; // between key frames, to which players jump
const QUEUE = 4; // frames that may wait for the encoder
const BITS = 0.25; // a pixel, where a quality cannot be chosen
const QUANTIZER = 16; // of 63: letters stay as on the screen, and pictures that stand still cost nothing

// The first of a family that the browser encodes is taken: levels up to 1080p at 60 frames a second.
const FAMILIES = [
  {
    name: "VP9", ending: "webm", write: asWebm, codecs: ["vp09.00.41.08"], form: {},
    quality: { vp9: { quantizer: QUANTIZER } },
  },
  {
    name: "H.264", ending: "mp4", write: asMp4, codecs: ["avc1.64002a", "avc1.4d002a", "avc1.42002a"],
    form: { avc: { format: "avc" } }, quality: null,
  },
];

// What this browser encodes at that size, the best first; empty where it has no encoder.
export async function formatsFor({ width, height, fps }) {
  if (!globalThis.VideoEncoder) return [];
  const found = await Promise.all(FAMILIES.map(async (family) => {
    const bitrate = Math.round(BITS * width * height * fps), size = { width, height, framerate: fps, bitrate };
    const modes = family.quality ? ["quantizer", "variable"] : ["variable"];
    for (const bitrateMode of modes) for (const codec of family.codecs) {
      const config = { codec, bitrateMode, ...size, ...family.form };
      const options = bitrateMode === "quantizer" ? family.quality : {};
      if (await isSupported(config)) return { ...family, config, options };
    }
    return null;
  }));
  return found.filter(Boolean);
}

const isSupported = (config) => VideoEncoder.isConfigSupported(config).then(({ supported }) => supported, () => false);

export class Film {
  // format: one of formatsFor; fps: frames a second.
  constructor({ config, options, write, ending, name }, fps) {
    Object.assign(this, { config, options, write, ending, name, fps, frames: [], given: 0, failure: null, told: {} });
    this.encoder = new VideoEncoder({
      output: (chunk, { decoderConfig }) => {
        const data = new Uint8Array(chunk.byteLength);
        chunk.copyTo(data);
        this.frames.push({ data, isKey: chunk.type === "key" });
        if (decoderConfig) this.told = decoderConfig;
      },
      error: (error) => {
        this.failure = error;
        this.encoder.dispatchEvent(new Event("dequeue")); // nobody is to wait any longer
      },
    });
    this.encoder.configure(config);
  }

  // The canvas as the next frame; waits while the encoder has enough to do.
  async add(canvas) {
    const { encoder, fps, given } = this;
    while (encoder.encodeQueueSize > QUEUE && !this.failure) await dequeued(encoder);
    if (this.failure) throw this.failure;
    const [begin, end] = [given, given + 1].map((frame) => Math.round((frame * 1e6) / fps));
    const frame = new VideoFrame(canvas, { timestamp: begin, duration: end - begin });
    encoder.encode(frame, { keyFrame: given % (SECONDS * fps) === 0, ...this.options });
    frame.close();
    this.given++;
  }

  // The file, once all is encoded.
  async finish() {
    await this.encoder.flush();
    if (this.failure) throw this.failure;
    if (this.frames.length !== this.given) throw new Error(`${this.given - this.frames.length} frames were lost`);
    const { width, height } = this.config, { colorSpace, description } = this.told;
    const record = description && bytesOf(description);
    return this.write(this.frames, { width, height, fps: this.fps, colorSpace, description: record });
  }

  stop() {
    if (this.encoder.state !== "closed") this.encoder.close();
    this.frames = [];
  }
}

const bytesOf = (data) => (ArrayBuffer.isView(data)
  ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data));

const dequeued = (encoder) => new Promise((done) => encoder.addEventListener("dequeue", done, { once: true }));
