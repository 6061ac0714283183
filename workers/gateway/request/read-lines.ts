import { throwRefusal } from "../errors/throw-refusal.ts";
import { decodeUtf8 } from "./decode-utf8.ts";

/** Limits of an NDJSON body. */
export interface LineLimits {
  /** Bytes of the whole body, after decompression. */
  maxBytes: number;
  /** Non-empty lines of the whole body. */
  maxLines: number;
  /** Bytes of one line. */
  maxLineBytes: number;
}

/** A line and its number, from 1: its text, or why it has none. */
export type NumberedLine = { number: number; text: string } | { number: number; problem: string };

const lineEnd = 0x0a;

/** The bytes of a line whose end has not arrived. Keeps at most `maxBytes` of them. */
class PartialLine {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(part: Uint8Array): void {
    this.#bytes += part.byteLength;
    if (this.#bytes <= this.#maxBytes) this.#parts.push(part);
    else this.#parts = [];
  }

  /** Returns the line's bytes, or null if there are too many, and begins a new line. */
  take(): Uint8Array | null {
    const [parts, bytes] = [this.#parts, this.#bytes];
    this.#parts = [];
    this.#bytes = 0;
    if (bytes > this.#maxBytes) return null;
    if (parts.length === 1) return parts[0];
    const whole = new Uint8Array(bytes);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.byteLength;
    }
    return whole;
  }
}

/**
 * Yields the lines of a UTF-8 text as they arrive, so that memory holds one chunk and one line. Empty lines are
 * skipped; a line that is too long or not UTF-8 has a problem instead of a text. Refuses `too_large` where the body
 * exceeds a limit, after it yielded the lines before.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  limits: LineLimits,
): AsyncGenerator<NumberedLine> {
  const partial = new PartialLine(limits.maxLineBytes);
  let number = 0;
  let bytes = 0;
  let lineCount = 0;

  const endLine = (): NumberedLine | null => {
    number++;
    const line = partial.take();
    const decoded = line
      ? decodeUtf8(line)
      : { problem: `is too long: a line may have ${limits.maxLineBytes} bytes` };
    if ("text" in decoded && decoded.text.trim() === "") return null;
    if (++lineCount > limits.maxLines)
      throwRefusal(
        "too_large",
        `A request may have at most ${limits.maxLines} lines; those before line ${number} were handled, so send the others in another request.`,
      );
    return { number, ...decoded };
  };

  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > limits.maxBytes)
      throwRefusal(
        "too_large",
        `A request may have at most ${limits.maxBytes} bytes; lines up to ${number} may have been handled.`,
      );
    let start = 0;
    for (let end = chunk.indexOf(lineEnd); end >= 0; end = chunk.indexOf(lineEnd, start)) {
      partial.add(chunk.subarray(start, end));
      start = end + 1;
      const line = endLine();
      if (line) yield line;
    }
    // A copy, since the chunk's memory may be large or reused.
    if (start < chunk.byteLength) partial.add(chunk.slice(start));
  }
  const line = endLine();
  if (line) yield line;
}
