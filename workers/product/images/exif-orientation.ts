import { latin1, latin1Bytes, readNumber, startsWith } from "./bytes.ts";

/** Begins the Exif segment of a JPEG file. */
export const exifHeader = "Exif\0\0";
/** The Exif tag of the orientation, and its type: an unsigned number of 16 bits. */
const orientationTag = 0x0112;
const shortType = 3;
const entryBytes = 12;
/** The orientation of a picture that is stored upright. */
const upright = 1;

/**
 * Returns the orientation (2 to 8) in Exif data, which begins with a TIFF header. Returns null for an upright picture,
 * and for data that cannot be read.
 */
export function orientationIn(exif: Uint8Array): number | null {
  const order = latin1(exif.subarray(0, 4));
  if (order !== "II*\0" && order !== "MM\0*") return null;
  const littleEndian = order.startsWith("II");
  try {
    const directory = readNumber(exif, 4, 4, littleEndian);
    const entries = readNumber(exif, directory, 2, littleEndian);
    for (let i = 0; i < entries; i++) {
      const entry = directory + 2 + i * entryBytes;
      if (readNumber(exif, entry, 2, littleEndian) !== orientationTag) continue;
      if (readNumber(exif, entry + 2, 2, littleEndian) !== shortType) return null;
      const orientation = readNumber(exif, entry + 8, 2, littleEndian);
      return orientation > upright && orientation <= 8 ? orientation : null;
    }
    return null;
  } catch {
    // Cameras write broken Exif data; the picture is shown as it is stored.
    return null;
  }
}

/** Returns the Exif data of a WebP or PNG chunk without the header of JPEG, which some programs write there too. */
export const withoutExifHeader = (exif: Uint8Array): Uint8Array =>
  startsWith(exif, exifHeader) ? exif.subarray(exifHeader.length) : exif;

/** Returns Exif data (26 bytes) that holds an orientation and nothing else. */
export const exifOfOrientation = (orientation: number): Uint8Array =>
  latin1Bytes(
    // TIFF header, one entry (tag 0x0112, type 3, one value), and the end of the directories.
    `MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0${String.fromCharCode(orientation)}\0\0\0\0\0\0`,
  );
