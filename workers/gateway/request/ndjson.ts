import { deny } from "../errors/deny.ts";

/** Bounds of a body of lines. */
export interface LineBounds {
  /** Bytes of the whole body. */
  bytes: number;
  /** Lines of the whole body, empty ones not counted. */
  lines: number;
  /** Characters of one line. */
  lineLength: number;
}

/** A line by its number (from 1); `text` null where it was too long to be kept. */
export interface Line {
  number: number;
  text: string | null;
}

/**
 * The lines of a text in UTF-8, as they come: memory holds one chunk and one line. Empty lines are left
 * out, over-long ones are told without their text. Refuses `too_large` when the body goes beyond its bounds;
 * the lines before have been given out by then.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, bounds: LineBounds): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let rest = "";
  let overlong = false;
  let number = 0;
  let bytes = 0;
  let counted = 0;

  const finish = (tail: string): Line | null => {
    number++;
    const text = rest + tail;
    const tooLong = overlong || text.length > bounds.lineLength;
    rest = "";
    overlong = false;
    if (!tooLong && text.trim() === "") return null;
    if (++counted > bounds.lines)
      deny(
        "too_large",
        `A request takes ${bounds.lines} lines; what came before line ${number} was handled.`,
      );
    return { number, text: tooLong ? null : text };
  };

  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > bounds.bytes)
      deny(
        "too_large",
        `A request takes ${bounds.bytes} bytes; lines up to ${number} may have been handled.`,
      );
    const parts = decoder.decode(chunk, { stream: true }).split("\n");
    for (const part of parts.slice(0, -1)) {
      const line = finish(part);
      if (line) yield line;
    }
    rest += parts[parts.length - 1];
    if (rest.length > bounds.lineLength) {
      rest = "";
      overlong = true;
    }
  }
  const line = finish(decoder.decode());
  if (line) yield line;
}
