// The sums of a layer's gates as WebAssembly: four gates at a time, in float32. While a hand moves it takes the place of
// lstm.js's float64, several times as fast; once the hand lets go, float64 has the last word.
// Where the page's policy forbids WebAssembly there is none, and lstm.js does all by itself.

// Of this text (WebAssembly's own), assembled:
// (module
//   (memory (export "memory") 1)
//   ;; out[unit] = bias[unit] + sum over k of rows[unit][k] * vector[k], each of four gates; count is a multiple of 4
//   (func (export "sums") (param $rows i32) (param $vector i32) (param $bias i32) (param $out i32) (param $units i32) (param $count i32)
//     (local $end i32) (local $at i32) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
//     (local.set $end (i32.add (local.get $vector) (i32.shl (local.get $count) (i32.const 2))))
//     (loop $unit
//       (local.set $a (v128.load (local.get $bias)))
//       (local.set $b (v128.const i32x4 0 0 0 0))
//       (local.set $c (local.get $b))
//       (local.set $d (local.get $b))
//       (local.set $at (local.get $vector))
//       (loop $k
//         (local.set $a (f32x4.add (local.get $a) (f32x4.mul (v128.load (local.get $rows)) (v128.load32_splat (local.get $at)))))
//         (local.set $b (f32x4.add (local.get $b) (f32x4.mul (v128.load offset=16 (local.get $rows)) (v128.load32_splat offset=4 (local.get $at)))))
//         (local.set $c (f32x4.add (local.get $c) (f32x4.mul (v128.load offset=32 (local.get $rows)) (v128.load32_splat offset=8 (local.get $at)))))
//         (local.set $d (f32x4.add (local.get $d) (f32x4.mul (v128.load offset=48 (local.get $rows)) (v128.load32_splat offset=12 (local.get $at)))))
//         (local.set $rows (i32.add (local.get $rows) (i32.const 64)))
//         (br_if $k (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 16))) (local.get $end))))
//       (v128.store (local.get $out) (f32x4.add (f32x4.add (local.get $a) (local.get $b)) (f32x4.add (local.get $c) (local.get $d))))
//       (local.set $bias (i32.add (local.get $bias) (i32.const 16)))
//       (local.set $out (i32.add (local.get $out) (i32.const 16)))
//       (br_if $unit (local.tee $units (i32.sub (local.get $units) (i32.const 1)))))))
const CODE = [
  "AGFzbQEAAAABCgFgBn9/f39/fwADAgEABQMBAAEHEQIGbWVtb3J5AgAEc3VtcwAACtsBAdgBAgJ/BHsgASAFQQJ0aiEGA0AgAv0A",
  "BAAhCP0MAAAAAAAAAAAAAAAAAAAAACEJIAkhCiAJIQsgASEHA0AgCCAA/QAEACAH/QkCAP3mAf3kASEIIAkgAP0ABBAgB/0JAgT9",
  "5gH95AEhCSAKIAD9AAQgIAf9CQII/eYB/eQBIQogCyAA/QAEMCAH/QkCDP3mAf3kASELIABBwABqIQAgB0EQaiIHIAZJDQALIAMg",
  "CCAJ/eQBIAogC/3kAf3kAf0LBAAgAkEQaiECIANBEGohAyAEQQFrIgQNAAsL",
].join("");
const PAGE = 65536; // bytes of WebAssembly's memory

let module; // undefined: not asked for yet; null: forbidden here

function compiled() {
  if (module !== undefined) return module;
  try {
    module = new WebAssembly.Module(Uint8Array.from(atob(CODE), (letter) => letter.charCodeAt(0)));
  } catch {
    module = null;
  }
  return module;
}

// rows: (hidden, count, 4), bias: (hidden, 4). Returns what takes a vector (count,) and gives the sums (hidden, 4), or
// null where there is no WebAssembly.
export function fastSums(rows, bias, count) {
  if (!compiled()) return null;
  const { memory, sums } = new WebAssembly.Instance(module).exports;
  const hidden = bias.length / 4, padded = 4 * Math.ceil(count / 4); // with zeros
  const sizes = [hidden * padded * 4, padded, bias.length, bias.length], places = [];
  let bytes = 0;
  for (const size of sizes) {
    places.push(bytes);
    bytes += 4 * size;
  }
  memory.grow(Math.ceil(bytes / PAGE));
  const [own, vector, biases, out] = sizes.map((size, k) => new Float32Array(memory.buffer, places[k], size));
  for (let unit = 0; unit < hidden; unit++) {
    own.set(rows.subarray(unit * count * 4, (unit + 1) * count * 4), unit * padded * 4);
  }
  biases.set(bias);
  return (values) => {
    vector.set(values);
    sums(places[0], places[1], places[2], places[3], hidden, padded);
    return out;
  };
}
