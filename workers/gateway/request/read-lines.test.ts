import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LineLimits, type NumberedLine, readLines } from "./read-lines.ts";

const bounds: LineLimits = { maxBytes: 1_000_000, maxLines: 1_000, maxLineLength: 20 };

/** The bytes of a text, cut at the given places. */
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

describe("linesOf", () => {
  it("gives the same lines wherever the stream is cut", async () => {
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

  it("numbers lines from 1, empty ones included, and takes both kinds of line ends", async () => {
    expect(await read("a\r\n\n  \nb\n")).toEqual([
      { number: 1, text: "a\r" },
      { number: 4, text: "b" },
    ]);
  });

  it("tells a line that is too long without its text, however long it is", async () => {
    const cuts = Array.from({ length: 50 }, (_, i) => i * 20);
    expect(await read(`a\n${"x".repeat(1000)}\nb`, cuts)).toEqual([
      { number: 1, text: "a" },
      { number: 2, text: null },
      { number: 3, text: "b" },
    ]);
  });

  it("ends at its bounds", async () => {
    await expect(read("a\nb\nc", [], { maxLines: 2 })).rejects.toThrow("takes 2 lines");
    await expect(read("a\nb\nc", [], { maxBytes: 4 })).rejects.toThrow("takes 4 bytes");
  });
});
