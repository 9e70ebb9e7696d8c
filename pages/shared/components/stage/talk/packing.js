// Bytes as text and back, compressed: what a talk's file holds of each scene.

const MOST = 96e6; // bytes that one packed scene may become: a small file can unpack to gigabytes

export const gzip = (bytes) => through(bytes, new CompressionStream("gzip"), Infinity);

// Throws where the bytes are not gzip's, are cut off, or become too many.
export const gunzip = (packed, most = MOST) => through(packed, new DecompressionStream("gzip"), most);

// All that comes out of a stream. Written to it directly: a Blob would take the bytes to another process first.
async function through(bytes, { readable, writable }, most) {
  const writer = writable.getWriter(), reader = readable.getReader(), chunks = [];
  const written = Promise.all([writer.write(bytes), writer.close()]).catch(() => {}); // reading fails, too
  let size = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.length;
    if (size > most) {
      await reader.cancel();
      throw new Error("too large");
    }
    chunks.push(read.value);
  }
  await written;
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

export function toBase64(bytes) {
  let text = "";
  const slice = 0x8000; // arguments of one call
  for (let at = 0; at < bytes.length; at += slice) text += String.fromCharCode(...bytes.subarray(at, at + slice));
  return btoa(text);
}

// Throws where the text is not base64.
export function fromBase64(text) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

// The same for equal bytes, so that a scene that several moments show is kept once: two sums like FNV-1a.
export function digest(bytes) {
  let low = 0x811c9dc5, high = 0x01000193;
  for (let at = 0; at < bytes.length; at++) {
    low = Math.imul(low ^ bytes[at], 0x01000193);
    high = Math.imul(high ^ bytes[at] ^ (at & 255), 0x85ebca6b);
  }
  return `${(high >>> 0).toString(16).padStart(8, "0")}${(low >>> 0).toString(16).padStart(8, "0")}`;
}
