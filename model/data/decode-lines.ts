import { DatasetError } from "./dataset-error.ts";

/** How a file stores its characters. */
export type Encoding = "UTF-8" | "UTF-16LE" | "UTF-16BE";
/** What ends a line of a file. `CRLF` and `LF` may be mixed. */
export type LineEnd = "LF" | "CRLF" | "CR";

/** Longest accepted line, in UTF-16 code units. */
const maxLineLength = 1 << 26;
/** Code units that one call of `String.fromCharCode` takes as arguments. */
const maxArguments = 8192;

/** First bytes of files that are no text, with what they are. */
const binarySignatures: readonly [number[], string][] = [
  [[0x1f, 0x8b], "a gzip archive: unpack it first"],
  [[0x50, 0x4b, 0x03, 0x04], "a ZIP archive or an Excel workbook: unpack it, or save it as CSV"],
  [[0x28, 0xb5, 0x2f, 0xfd], "a Zstandard archive: unpack it first"],
  [[0x50, 0x41, 0x52, 0x31], "a Parquet file: convert it to CSV"],
  [[0xd0, 0xcf, 0x11, 0xe0], "an Excel workbook: save it as CSV"],
  [[0xff, 0xfe, 0x00, 0x00], "UTF-32: save it as UTF-8"],
];

const startsWith = (bytes: Uint8Array, signature: readonly number[]): boolean =>
  signature.every((byte, i) => bytes[i] === byte);

/** Returns the encoding that the first bytes of a file show, and how many of them are the byte order mark. */
function detectEncoding(bytes: Uint8Array): { encoding: Encoding; markLength: number } {
  if (startsWith(bytes, [0xef, 0xbb, 0xbf])) return { encoding: "UTF-8", markLength: 3 };
  if (startsWith(bytes, [0xff, 0xfe])) return { encoding: "UTF-16LE", markLength: 2 };
  if (startsWith(bytes, [0xfe, 0xff])) return { encoding: "UTF-16BE", markLength: 2 };
  // The header begins with two ASCII characters. In UTF-16 without a mark, every second byte of theirs is zero.
  if (bytes.length >= 4 && bytes[0] !== 0 && bytes[1] === 0 && bytes[2] !== 0 && bytes[3] === 0)
    return { encoding: "UTF-16LE", markLength: 0 };
  if (bytes.length >= 4 && bytes[0] === 0 && bytes[1] !== 0 && bytes[2] === 0 && bytes[3] !== 0)
    return { encoding: "UTF-16BE", markLength: 0 };
  return { encoding: "UTF-8", markLength: 0 };
}

/** Returns the length of the UTF-8 sequence that a first byte begins; 1 for a byte that begins none. */
const sequenceLength = (byte: number): number =>
  byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 && byte < 0xf0 ? 3 : byte >= 0xc2 && byte < 0xe0 ? 2 : 1;

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns the text of bytes in UTF-8, or null if they are not UTF-8. */
function decodeStrictly(bytes: Uint8Array): string | null {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Decodes UTF-8. Each byte that is not UTF-8 becomes a lone surrogate, U+DC80 to U+DCFF, which no valid text holds. */
function decodeUtf8(bytes: Uint8Array): string {
  const whole = decodeStrictly(bytes);
  if (whole !== null) return whole;
  let text = "";
  let validFrom = 0;
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes[i]);
    const valid = bytes[i] < 0x80 || (length > 1 && decodeStrictly(bytes.subarray(i, i + length)) !== null);
    if (valid) i += length;
    else {
      text += decodeStrictly(bytes.subarray(validFrom, i)) + String.fromCharCode(0xdc00 + bytes[i]);
      i++;
      validFrom = i;
    }
  }
  return text + decodeStrictly(bytes.subarray(validFrom));
}

function joinBytes(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** Returns how many of the last bytes begin a UTF-8 sequence that has not ended. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return sequenceLength(byte) > back ? back : 0;
  }
  return 0;
}

/** Decodes UTF-16. A lone surrogate stays as it is, and so is seen by `isWellFormed`. */
function decodeUtf16(bytes: Uint8Array, littleEndian: boolean): string {
  const units = new Array<number>(Math.floor(bytes.length / 2));
  for (let i = 0; i < units.length; i++) {
    const [low, high] = littleEndian ? [bytes[2 * i], bytes[2 * i + 1]] : [bytes[2 * i + 1], bytes[2 * i]];
    units[i] = (high << 8) | low;
  }
  let text = "";
  for (let i = 0; i < units.length; i += maxArguments)
    text += String.fromCharCode(...units.slice(i, i + maxArguments));
  return text;
}

function* decodeChunks(chunks: Iterable<Uint8Array>, encoding: Encoding): Generator<string> {
  let carried: Uint8Array = new Uint8Array();
  for (const chunk of chunks) {
    const bytes = joinBytes(carried, chunk);
    const unfinished = encoding === "UTF-8" ? unfinishedBytes(bytes) : bytes.length % 2;
    const complete = bytes.subarray(0, bytes.length - unfinished);
    carried = bytes.slice(bytes.length - unfinished);
    yield encoding === "UTF-8" ? decodeUtf8(complete) : decodeUtf16(complete, encoding === "UTF-16LE");
  }
  if (carried.length > 0) yield decodeUtf8(carried);
}

/** Returns what ends the first line of a text; null if that cannot be seen yet. */
function detectLineEnd(text: string): LineEnd | null {
  const at = text.search(/[\r\n]/);
  if (at < 0) return null;
  if (text[at] === "\n") return "LF";
  if (at + 1 === text.length) return null;
  return text[at + 1] === "\n" ? "CRLF" : "CR";
}

/** The lines of a file, which are read while they are iterated, and what its first bytes show. */
export interface DecodedFile {
  encoding: Encoding;
  /** Whether the file begins with a byte order mark. */
  marked: boolean;
  /** Set when the first line has been read. */
  lineEnd: LineEnd;
  lines: Iterable<string>;
}

function* splitLines(texts: Iterable<string>, found: (lineEnd: LineEnd) => void): Generator<string> {
  let rest = "";
  let lineEnd: LineEnd | null = null;
  for (const text of texts) {
    rest += text;
    if (lineEnd === null) {
      lineEnd = detectLineEnd(rest);
      if (lineEnd !== null) found(lineEnd);
    }
    if (lineEnd !== null) {
      const lines = rest.split(lineEnd === "CR" ? "\r" : "\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
    }
    if (rest.length > maxLineLength)
      throw new DatasetError(`a line is longer than ${maxLineLength.toLocaleString("en")} characters`);
  }
  // A file of one line that ends with a carriage return alone.
  const last = rest.split("\r");
  if (last.at(-1) === "") last.pop();
  if (lineEnd === null) yield* last;
  else if (rest !== "") yield rest.endsWith("\r") ? rest.slice(0, -1) : rest;
}

/**
 * Decodes a file line by line: UTF-8, or UTF-16 that begins with a byte order mark or with an ASCII header. A byte that
 * is not valid in the encoding becomes a lone surrogate, so that `isWellFormed` finds the texts that hold one. Throws a
 * {@link DatasetError} if the file is an archive or a workbook.
 */
export function decodeLines(chunks: Iterable<Uint8Array>): DecodedFile {
  const iterator = chunks[Symbol.iterator]();
  let first: Uint8Array = new Uint8Array();
  for (let next = iterator.next(); !next.done; next = iterator.next()) {
    first = joinBytes(first, next.value);
    if (first.length >= 4) break;
  }
  const binary = binarySignatures.find(([signature]) => startsWith(first, signature));
  if (binary) throw new DatasetError(`the file is ${binary[1]}`);
  const { encoding, markLength } = detectEncoding(first);
  const remaining = first.subarray(markLength);
  const all = (function* () {
    yield remaining;
    for (let next = iterator.next(); !next.done; next = iterator.next()) yield next.value;
  })();
  const file: DecodedFile = {
    encoding,
    marked: markLength > 0,
    lineEnd: "LF",
    lines: splitLines(decodeChunks(all, encoding), (lineEnd) => {
      file.lineEnd = lineEnd;
    }),
  };
  return file;
}

/** Returns a text with each byte that is not valid in its encoding as `\xE9`, for messages. */
export const showInvalidBytes = (text: string): string =>
  text.isWellFormed()
    ? text
    : [...text]
        .map((character) => {
          const code = character.codePointAt(0) ?? 0;
          if (character.isWellFormed()) return character;
          return code >= 0xdc80 && code <= 0xdcff
            ? `\\x${(code - 0xdc00).toString(16).toUpperCase()}`
            : `\\u${code.toString(16).toUpperCase()}`;
        })
        .join("");
