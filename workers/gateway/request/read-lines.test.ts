import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LineLimits, type NumberedLine, readLines } from "./read-lines.ts";

const bounds: LineLimits = { maxBytes: 1_000_000, maxLines: 1_000, maxLineLength: 20 };

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
      fc.string({ unit: "grapheme", maxLength: 30 }).map((part) => part.replaceAll("\n", "")),
    );
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(500)), async (parts, cuts) => {
        const expected = parts
          .map((part, i) => ({ number: i + 1, text: part }))
          .filter(({ text }) => text.trim() !== "" || text.length > bounds.maxLineLength)
          .map(({ number, text }) => ({ number, text: text.length > bounds.maxLineLength ? null : text }));
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
      { number: 2, text: null },
      { number: 3, text: "b" },
    ]);
  });

  it("refuses a body beyond its limits", async () => {
    await expect(read("a\nb\nc", [], { maxLines: 2 })).rejects.toThrow("at most 2 lines");
    await expect(read("a\nb\nc", [], { maxBytes: 4 })).rejects.toThrow("at most 4 bytes");
  });
});
