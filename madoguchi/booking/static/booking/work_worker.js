/*
 * Finds the number with which SHA-256("challenge:number") begins with so many zero bits.
 * The browser's own digest is missing where a city serves plain http inside its network, and is
 * asynchronous: a hundred thousand promises take longer than the sums. Hence FIPS 180-4 here.
 */
const K = new Uint32Array(64);
const H = new Uint32Array(8);

function fraction(value, root) {
  return ((value ** (1 / root)) % 1) * 2 ** 32;
}

for (let candidate = 2, found = 0; found < 64; candidate += 1) {
  let isPrime = true;
  for (let factor = 2; factor * factor <= candidate; factor += 1) {
    if (candidate % factor === 0) isPrime = false;
  }
  if (!isPrime) continue;
  if (found < 8) H[found] = fraction(candidate, 2);
  K[found] = fraction(candidate, 3);
  found += 1;
}

const turn = (x, n) => (x >>> n) | (x << (32 - n));
const W = new Uint32Array(64);

function digest(bytes) {
  const length = bytes.length;
  const padded = new Uint8Array(((length + 8) >> 6) * 64 + 64);
  padded.set(bytes);
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, length * 8);
  const state = H.slice();
  for (let block = 0; block < padded.length; block += 64) {
    for (let i = 0; i < 16; i += 1) W[i] = view.getUint32(block + i * 4);
    for (let i = 16; i < 64; i += 1) {
      const s0 = turn(W[i - 15], 7) ^ turn(W[i - 15], 18) ^ (W[i - 15] >>> 3);
      const s1 = turn(W[i - 2], 17) ^ turn(W[i - 2], 19) ^ (W[i - 2] >>> 10);
      W[i] = W[i - 16] + s0 + W[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, i) => {
      state[i] += value;
    });
  }
  return state;
}

function zeroBits(state) {
  let bits = 0;
  for (const word of state) {
    if (word) return bits + Math.clz32(word);
    bits += 32;
  }
  return bits;
}

self.onmessage = ({ data: { challenge, bits } }) => {
  const text = new TextEncoder();
  for (let number = 0; ; number += 1) {
    if (zeroBits(digest(text.encode(`${challenge}:${number}`))) >= bits) {
      self.postMessage(number);
      return;
    }
  }
};
