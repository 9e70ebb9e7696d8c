// A WebM file of one VP9 track, all of whose frames last equally long (RFC 9559, webmproject.org/docs/container).
// Own code and no library: what a film needs of the format is this page, and libraries count in milliseconds, in which
// the 30th of a second has no number: here a frame is the unit of time, so that all are exactly equally far apart.

const UNKNOWN = { primaries: 2, transfer: 2, matrix: 2 };
const PRIMARIES = { bt709: 1, bt470bg: 5, smpte170m: 6 };
const TRANSFER = { bt709: 1, smpte170m: 6, "iec61966-2-1": 13 };
const MATRIX = { rgb: 0, bt709: 1, bt470bg: 5, smpte170m: 6 };

// The numbers by which both containers tell how colours are written (ITU-T H.273).
export function colorNumbers({ primaries, transfer, matrix, fullRange } = {}) {
  return {
    primaries: PRIMARIES[primaries] ?? UNKNOWN.primaries, transfer: TRANSFER[transfer] ?? UNKNOWN.transfer,
    matrix: MATRIX[matrix] ?? UNKNOWN.matrix, fullRange: Boolean(fullRange),
  };
}

// frames: [{ data: Uint8Array, isKey }], one every 1 / fps s. Returns the file.
export function asWebm(frames, { width, height, fps, colorSpace }) {
  const clusters = [], starts = frames.flatMap(({ isKey }, k) => (isKey ? [k] : []));
  starts.forEach((start, k) => {
    const inside = frames.slice(start, starts[k + 1]);
    clusters.push({ start, parts: cluster(inside, start) });
  });
  const tick = Math.round(1e9 / fps), head = [info(frames.length, tick), tracks(tick, width, height, colorSpace)];
  // The index stands in front, and its numbers have a fixed length: so it can be measured before they are known.
  const first = sizeOf(head) + sizeOf(cues(clusters.map(({ start }) => ({ start, at: 0 }))));
  let at = first;
  const places = clusters.map(({ start, parts }) => {
    const place = { start, at };
    at += sizeOf(parts);
    return place;
  });
  const body = [...head, ...cues(places), ...clusters.flatMap(({ parts }) => parts)];
  return new Blob([...ebmlHead(), ...element(0x18538067, ...body.flat())], { type: "video/webm" });
}

const sizeOf = (parts) => parts.flat().reduce((sum, { length }) => sum + length, 0);

// Bytes of a whole number, the largest first; its length where it must be a fixed one.
function bytes(value, length = 0) {
  const found = [];
  for (let rest = value; rest > 0 || found.length < Math.max(1, length); rest = Math.floor(rest / 256)) {
    found.unshift(rest % 256);
  }
  return Uint8Array.from(found);
}

// An element: its id, the length of its content in eight bytes, and the content in parts.
function element(id, ...parts) {
  const size = bytes(sizeOf(parts), 8);
  size[0] = 0x01;
  return [bytes(id), size, ...parts];
}

const whole = (id, value, length) => element(id, bytes(value, length));
const text = (id, value) => element(id, new TextEncoder().encode(value));
const real = (id, value) => {
  const content = new Uint8Array(8);
  new DataView(content.buffer).setFloat64(0, value);
  return element(id, content);
};
const nested = (id, ...elements) => element(id, ...elements.flat());

const ebmlHead = () => nested(
  0x1a45dfa3, whole(0x4286, 1), whole(0x42f7, 1), whole(0x42f2, 4), whole(0x42f3, 8), text(0x4282, "webm"),
  whole(0x4287, 4), whole(0x4285, 2),
);

const info = (count, tick) => nested(
  0x1549a966, whole(0x2ad7b1, tick), real(0x4489, count), ...[0x4d80, 0x5741].map((id) => text(id, "LSTM Playground")),
);

function tracks(tick, width, height, colorSpace) {
  const { primaries, transfer, matrix, fullRange } = colorNumbers(colorSpace);
  const numbers = [[0x55b1, matrix], [0x55b9, fullRange ? 2 : 1], [0x55ba, transfer], [0x55bb, primaries]];
  const color = nested(0x55b0, ...numbers.map(([id, value]) => whole(id, value)));
  const video = nested(0xe0, whole(0xb0, width), whole(0xba, height), color);
  const isVideo = 1, number = 1;
  return nested(0x1654ae6b, nested(
    0xae, whole(0xd7, number), whole(0x73c5, number), whole(0x83, isVideo), whole(0x9c, 0), whole(0x23e383, tick),
    text(0x86, "V_VP9"), video,
  ));
}

const cues = (places) => nested(0x1c53bb6b, ...places.map(({ start, at }) => nested(
  0xbb, whole(0xb3, start, 4), nested(0xb7, whole(0xf7, 1), whole(0xf1, at, 8)),
)));

// From one key frame to the next.
function cluster(frames, start) {
  const blocks = frames.map(({ data, isKey }, k) =>
    element(0xa3, Uint8Array.of(0x81, k >> 8, k & 255, isKey ? 0x80 : 0), data));
  return nested(0x1f43b675, whole(0xe7, start), ...blocks);
}
