import { expect, it } from "vitest";
import * as z from "zod";
import { unknownFields } from "./unknown-fields.ts";

it("returns the paths of fields that a schema does not have, at any depth", () => {
  const schema = z.object({
    name: z.string(),
    parts: z.array(z.object({ size: z.number() })),
    figures: z.record(z.string(), z.number()),
  });
  const given = { name: "a", parts: [{ size: 1 }, { size: 2, color: "red" }], figures: { x: 1 }, more: {} };
  expect(unknownFields(given, schema.parse(given))).toEqual(["parts.1.color", "more"]);
  const { more: _, ...rest } = given;
  expect(unknownFields({ ...rest, parts: [] }, schema.parse({ ...rest, parts: [] }))).toEqual([]);
});
