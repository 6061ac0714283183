import type { StringTest } from "./tree.ts";

/** Returns whether the bytes at `at` are those of `part`. The caller ensures that there are enough. */
function isAt(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}

/** A test of the UTF-8 text from `start` to `end`. */
export type TextTest = (bytes: Uint8Array, start: number, end: number) => boolean;

/** Returns a test of UTF-8 texts. Bytes compare as characters do: no character's bytes begin within another's. */
export function compileTextTest(test: StringTest | "equals", text: string): TextTest {
  const part = new TextEncoder().encode(text);
  const { length } = part;
  switch (test) {
    case "equals":
      return (bytes, start, end) => end - start === length && isAt(bytes, start, part);
    case "startsWith":
      return (bytes, start, end) => end - start >= length && isAt(bytes, start, part);
    case "endsWith":
      return (bytes, start, end) => end - start >= length && isAt(bytes, end - length, part);
    case "contains":
      return (bytes, start, end) => {
        for (let at = start; at + length <= end; at++) if (isAt(bytes, at, part)) return true;
        return false;
      };
  }
}

/** Returns a test of strings that gives what {@link compileTextTest} gives for their UTF-8. */
export function compileStringTest(test: StringTest | "equals", part: string): (text: string) => boolean {
  switch (test) {
    case "equals":
      return (text) => text === part;
    case "startsWith":
      return (text) => text.startsWith(part);
    case "endsWith":
      return (text) => text.endsWith(part);
    case "contains":
      return (text) => text.includes(part);
  }
}
