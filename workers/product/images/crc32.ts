/** Reversed polynomial of the CRC-32 of PNG (ISO 3309). */
const polynomial = 0xedb88320;

/** Returns the CRC-32 of bytes, as PNG files use it. For short texts: it computes each bit. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
