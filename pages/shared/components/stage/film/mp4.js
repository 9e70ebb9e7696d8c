// An MP4 file of one H.264 track, all of whose frames last equally long (ISO/IEC 14496-12 and -15): presentation
// programs play it. Its index stands in front of the frames, so that it plays and seeks while it still loads.

import { colorNumbers } from "./webm.js";

const UNIT = 1000; // ticks a frame: other programs find whole numbers easier to cut
const IDENTITY = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

// frames: [{ data: Uint8Array, isKey }], one every 1 / fps s; description: the codec's own record (avcC). Returns the
// file.
export function asMp4(frames, { width, height, fps, colorSpace, description }) {
  const type = box("ftyp", letters("isom"), u32(0x200), letters("isomiso2avc1mp41"));
  const all = { frames, width, height, scale: fps * UNIT, ticks: frames.length * UNIT, colorSpace, description };
  const size = frames.reduce((sum, { data }) => sum + data.length, 0);
  const before = sizeOf(type) + sizeOf(movie(all, 0)) + 16;
  const data = [u32(1), letters("mdat"), u64(16 + size), ...frames.map((frame) => frame.data)];
  return new Blob([...type, ...movie(all, before), ...data], { type: "video/mp4" });
}

const sizeOf = (parts) => parts.reduce((sum, { length }) => sum + length, 0);
const letters = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const zeros = (count) => new Uint8Array(count);

function numbers(bytesEach, write) {
  return (...values) => {
    const made = new Uint8Array(bytesEach * values.length), view = new DataView(made.buffer);
    values.forEach((value, k) => write(view, k * bytesEach, value));
    return made;
  };
}
const u16 = numbers(2, (view, at, value) => view.setUint16(at, value));
const u32 = numbers(4, (view, at, value) => view.setUint32(at, value));
const u64 = numbers(8, (view, at, value) => view.setBigUint64(at, BigInt(value)));

function box(name, ...contents) {
  const parts = contents.flat();
  return [u32(8 + sizeOf(parts)), letters(name), ...parts];
}
// version 1: times in eight bytes.
const fullBox = (name, flags, ...contents) => box(name, u32(flags), ...contents);
const V1 = 1 << 24;

function movie({ frames, width, height, scale, ticks, colorSpace, description }, offset) {
  const header = fullBox("mvhd", V1, u64(0, 0), u32(scale), u64(ticks), u32(0x10000), u16(0x100, 0), u32(0, 0),
    u32(...IDENTITY), zeros(24), u32(2));
  const shown = fullBox("tkhd", V1 | 3, u64(0, 0), u32(1, 0), u64(ticks), u32(0, 0), u16(0, 0, 0, 0), u32(...IDENTITY),
    u32(width * 0x10000, height * 0x10000));
  const UNDETERMINED = 0x55c4; // language
  const time = fullBox("mdhd", V1, u64(0, 0), u32(scale), u64(ticks), u16(UNDETERMINED, 0));
  const kind = fullBox("hdlr", 0, u32(0), letters("vide"), zeros(12), letters("Video\0"));
  const here = box("dinf", fullBox("dref", 0, u32(1), fullBox("url ", 1)));
  const table = samples(frames, { width, height, colorSpace, description, offset });
  const media = box("minf", fullBox("vmhd", 1, zeros(8)), here, table);
  return box("moov", header, box("trak", shown, box("mdia", time, kind, media)));
}

function samples(frames, { width, height, colorSpace, description, offset }) {
  const { primaries, transfer, matrix, fullRange } = colorNumbers(colorSpace), count = frames.length;
  const color = box("colr", letters("nclx"), u16(primaries, transfer, matrix), Uint8Array.of(fullRange ? 0x80 : 0));
  const DPI = 72 * 0x10000, NAME = 32, DEPTH = 24;
  const format = box("avc1", zeros(6), u16(1), zeros(16), u16(width, height), u32(DPI, DPI, 0), u16(1), zeros(NAME),
    u16(DEPTH, 0xffff), box("avcC", description), color);
  const keys = frames.flatMap(({ isKey }, k) => (isKey ? [k + 1] : []));
  return box("stbl",
    fullBox("stsd", 0, u32(1), format),
    fullBox("stts", 0, u32(1, count, UNIT)),
    fullBox("stss", 0, u32(keys.length, ...keys)),
    fullBox("stsc", 0, u32(1, 1, count, 1)), // all frames are one chunk
    fullBox("stsz", 0, u32(0, count, ...frames.map(({ data }) => data.length))),
    fullBox("co64", 0, u32(1), u64(offset)));
}
