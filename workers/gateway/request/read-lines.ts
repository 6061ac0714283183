import { throwRefusal } from "../errors/throw-refusal.ts";

/** Bounds of a body of lines. */
export interface LineLimits {
  /** Bytes of the whole body. */
  maxBytes: number;
  /** Lines of the whole body, empty ones not counted. */
  maxLines: number;
  /** Characters of one line. */
  maxLineLength: number;
}

/** A line by its number (from 1); `text` null where it was too long to be kept. */
export interface NumberedLine {
  number: number;
  text: string | null;
}

/**
 * The lines of a text in UTF-8, as they come: memory holds one chunk and one line. Empty lines are left
 * out, over-long ones are told without their text. Refuses `too_large` when the body goes beyond its bounds;
 * the lines before have been given out by then.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  limits: LineLimits,
): AsyncGenerator<NumberedLine> {
  const decoder = new TextDecoder();
  let rest = "";
  let overlong = false;
  let number = 0;
  let bytes = 0;
  let counted = 0;

  const finish = (tail: string): NumberedLine | null => {
    number++;
    const text = rest + tail;
    const tooLong = overlong || text.length > limits.maxLineLength;
    rest = "";
    overlong = false;
    if (!tooLong && text.trim() === "") return null;
    if (++counted > limits.maxLines)
      throwRefusal(
        "too_large",
        `A request takes ${limits.maxLines} lines; what came before line ${number} was handled.`,
      );
    return { number, text: tooLong ? null : text };
  };

  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > limits.maxBytes)
      throwRefusal(
        "too_large",
        `A request takes ${limits.maxBytes} bytes; lines up to ${number} may have been handled.`,
      );
    const parts = decoder.decode(chunk, { stream: true }).split("\n");
    for (const part of parts.slice(0, -1)) {
      const line = finish(part);
      if (line) yield line;
    }
    rest += parts[parts.length - 1];
    if (rest.length > limits.maxLineLength) {
      rest = "";
      overlong = true;
    }
  }
  const line = finish(decoder.decode());
  if (line) yield line;
}
