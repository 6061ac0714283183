import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LineLimits, type NumberedLine, readLines } from "./read-lines.ts";

const bounds: LineLimits = { maxBytes: 1_000_000, maxLines: 1_000, maxLineBytes: 20 };

const tooLongText = "is too long: a line may have 20 bytes";
const byteLength = (text: string): number => new TextEncoder().encode(text).byteLength;

/** A stream of the bytes of a text, split into chunks at the given positions. */
function cut(text: string, cuts: number[]): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  const borders = [0, ...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return new ReadableStream({
    start(controller) {
      for (let i = 1; i < borders.length; i++) controller.enqueue(bytes.slice(borders[i - 1], borders[i]));
      controller.close();
    },
  });
}

async function read(
  text: string,
  cuts: number[] = [],
  within: Partial<LineLimits> = {},
): Promise<NumberedLine[]> {
  const lines: NumberedLine[] = [];
  for await (const line of readLines(cut(text, cuts), { ...bounds, ...within })) lines.push(line);
  return lines;
}

describe("readLines", () => {
  it("yields the same lines however the stream is split", async () => {
    const text = fc.array(
      fc.string({ unit: "grapheme", maxLength: 30 }).map((part) => part.replaceAll(/[\n\ufeff]/g, "")),
    );
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(500)), async (parts, cuts) => {
        const expected = parts
          .map((part, i) => ({ number: i + 1, text: part, tooLong: byteLength(part) > bounds.maxLineBytes }))
          .filter(({ text, tooLong }) => text.trim() !== "" || tooLong)
          .map(({ number, text, tooLong }) =>
            tooLong ? { number, problem: tooLongText } : { number, text },
          );
        expect(await read(parts.join("\n"), cuts)).toEqual(expected);
      }),
    );
  });

  it("numbers lines from 1 and counts empty ones, with either kind of line end", async () => {
    expect(await read("a\r\n\n  \nb\n")).toEqual([
      { number: 1, text: "a\r" },
      { number: 4, text: "b" },
    ]);
  });

  it("yields a line that is too long without its text", async () => {
    const cuts = Array.from({ length: 50 }, (_, i) => i * 20);
    expect(await read(`a\n${"x".repeat(1000)}\nb`, cuts)).toEqual([
      { number: 1, text: "a" },
      { number: 2, problem: tooLongText },
      { number: 3, text: "b" },
    ]);
  });

  it("E5: names the line and the byte that is not UTF-8, and yields the others", async () => {
    const bytes = Uint8Array.from([...new TextEncoder().encode("é\ncaf"), 0xe9, 0x0a, 0x62]);
    const chunks = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    const lines: NumberedLine[] = [];
    for await (const line of readLines(chunks, bounds)) lines.push(line);
    expect(lines).toEqual([
      { number: 1, text: "é" },
      { number: 2, problem: "must be UTF-8; got the byte 0xE9 at offset 3" },
      { number: 3, text: "b" },
    ]);
  });

  it("reads a text with a byte order mark", async () => {
    expect(await read("\ufeffa\nb")).toEqual([
      { number: 1, text: "a" },
      { number: 2, text: "b" },
    ]);
  });

  it("refuses a body beyond its limits", async () => {
    await expect(read("a\nb\nc", [], { maxLines: 2 })).rejects.toThrow("at most 2 lines");
    await expect(read("a\nb\nc", [], { maxBytes: 4 })).rejects.toThrow("at most 4 bytes");
  });
});
