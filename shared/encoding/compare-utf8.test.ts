import fc from "fast-check";
import { expect, it } from "vitest";
import { compareUtf8 } from "./compare-utf8.ts";

it("E8: orders texts by their bytes in UTF-8, as SQLite does", () => {
  const unit = fc.constantFrom("a", "b", "é", "～", "\ue000", "😀", "𐀀", "\ud7ff");
  const encode = (text: string) => Buffer.from(text, "utf8");
  fc.assert(
    fc.property(fc.string({ unit }), fc.string({ unit }), (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Math.sign(Buffer.compare(encode(a), encode(b))));
    }),
  );
});
