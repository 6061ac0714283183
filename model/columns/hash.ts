/**
 * Returns a 53-bit hash of a string as an exact integer, so that ids compare as numbers and fit a Float64Array.
 * It has two multiplicative 32-bit lanes with a murmur3 finalizer each (Appleby, MurmurHash3, fmix32).
 */
export function hash53(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x85ebca77);
    low = Math.imul(low ^ unit, 0xc2b2ae3d);
  }
  high = finalize(high ^ (low >>> 15));
  low = finalize(low ^ (high >>> 13));
  return (high & 0x1fffff) * 0x100000000 + low;
}

/** Returns a 32-bit hash of a string: the low lane of {@link hash53}. */
export const hash32 = (text: string): number => hash53(text) % 0x100000000;

function finalize(lane: number): number {
  let x = lane;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}
