// What mmd2a/viewer/encoding.py packed.

const TYPES = {
  int16: Int16Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
};

/** Bytes of base64 text of a zlib stream. */
async function inflated(text) {
  const chars = atob(text);
  const bytes = new Uint8Array(chars.length);
  for (let i = 0; i < chars.length; i++) bytes[i] = chars.charCodeAt(i);
  const stream = new Blob([bytes])
    .stream()
    .pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Rows of whole numbers, one after the other. */
async function unpacked({ type, row, data }) {
  const bytes = await inflated(data);
  const numbers = new TYPES[type](bytes.length / TYPES[type].BYTES_PER_ELEMENT);
  const count = numbers.length;
  for (let i = 0; i < count; i++) {
    let coded = 0;
    for (let place = i, bits = 0; place < bytes.length; place += count) {
      coded |= bytes[place] << bits;
      bits += 8;
    }
    const change = (coded >>> 1) ^ -(coded & 1);
    // Beyond the type, numbers go round, as they did when they were packed.
    numbers[i] = i < row ? change : numbers[i - row] + change;
  }
  return numbers;
}
