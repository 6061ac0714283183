import { describe, expect, it } from "vitest";
import { medianOf, pathsIn, sentencesIn } from "./sentences.ts";

describe("sentencesIn", () => {
  it("separates paragraphs, items and cells, and leaves out code and headings", () => {
    const markdown =
      "# A title\n\nOne two three.\nFour five. `x y`\n\n- six seven\n\n| a b | c. d |\n|---|---|\n\n```sh\nnot this\n```\n";
    expect(sentencesIn(markdown).map((words) => words.join(" "))).toEqual([
      "One two three.",
      "Four five.",
      "code",
      "six seven",
      "a b",
      "c.",
      "d",
    ]);
  });

  it("counts a link by its text and code as one word", () => {
    expect(sentencesIn("See [the long guide](a/b.md) and `npm run x -- --y`.")).toEqual([
      ["See", "the", "long", "guide", "and", "code."],
    ]);
  });
});

describe("medianOf", () => {
  it("returns the upper median, and 0 without values", () => {
    expect([medianOf([3, 1, 2]), medianOf([1, 2, 3, 4]), medianOf([])]).toEqual([2, 3, 0]);
  });
});

describe("pathsIn", () => {
  it("finds links and code that are paths of the repository", () => {
    expect([...pathsIn("[a](docs/a.md#part) [b](https://x.y) `model/x.ts` `npm run x` `own/thing`")]).toEqual(
      ["docs/a.md", "model/x.ts"],
    );
  });
});
