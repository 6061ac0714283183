import { throwRefusal } from "../errors/throw-refusal.ts";

/** Limits of an NDJSON body. */
export interface LineLimits {
  /** Bytes of the whole body. */
  maxBytes: number;
  /** Non-empty lines of the whole body. */
  maxLines: number;
  /** Characters of one line. */
  maxLineLength: number;
}

/** A line and its number, from 1. `text` is null where the line is too long. */
export interface NumberedLine {
  number: number;
  text: string | null;
}

/**
 * Yields the lines of a UTF-8 text as they arrive, so that memory holds one chunk and one line. Empty lines are
 * skipped; a line that is too long has no text. Refuses `too_large` where the body exceeds a limit, after it yielded
 * the lines before.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  limits: LineLimits,
): AsyncGenerator<NumberedLine> {
  const decoder = new TextDecoder();
  let partial = "";
  let overlong = false;
  let number = 0;
  let bytes = 0;
  let lineCount = 0;

  const endLine = (tail: string): NumberedLine | null => {
    number++;
    const text = partial + tail;
    const tooLong = overlong || text.length > limits.maxLineLength;
    partial = "";
    overlong = false;
    if (!tooLong && text.trim() === "") return null;
    if (++lineCount > limits.maxLines)
      throwRefusal(
        "too_large",
        `A request may have at most ${limits.maxLines} lines; those before line ${number} were handled, so send the others in another request.`,
      );
    return { number, text: tooLong ? null : text };
  };

  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > limits.maxBytes)
      throwRefusal(
        "too_large",
        `A request may have at most ${limits.maxBytes} bytes; lines up to ${number} may have been handled.`,
      );
    const parts = decoder.decode(chunk, { stream: true }).split("\n");
    for (const part of parts.slice(0, -1)) {
      const line = endLine(part);
      if (line) yield line;
    }
    partial += parts[parts.length - 1];
    if (partial.length > limits.maxLineLength) {
      partial = "";
      overlong = true;
    }
  }
  const line = endLine(decoder.decode());
  if (line) yield line;
}
