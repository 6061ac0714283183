import { describe, expect, it } from "vitest";
import * as z from "zod";
import { keyInput, keyRotation, tokenInput } from "./credential.ts";
import { eventInput } from "./event.ts";
import { nullIsAbsent } from "./null-is-absent.ts";
import { productInput, productPatch } from "./product.ts";
import { recalibrationInput } from "./recalibration.ts";
import { recommendationInput } from "./recommendation.ts";
import { locationInput, userInput, userPatch } from "./user.ts";

/** Returns an object with null in every field of a schema that `given` does not have. */
const withNulls = ({ shape }: { shape: object }, given: object) => ({
  ...Object.fromEntries(Object.keys(shape).map((name) => [name, null])),
  ...given,
});

describe("null in a request", () => {
  it("E9: is as absent, in every body of the API", () => {
    const event = { eventId: "e", userId: "u", type: "view", productId: "p" };
    const product = { id: "p", title: "T" };
    const bodies: [string, z.ZodType & { shape: object }, object][] = [
      ["event", eventInput, event],
      ["product", productInput, product],
      ["user", userInput, {}],
      ["location", locationInput, { lat: 1, lon: 2 }],
      ["recommendation", recommendationInput, { userId: "u" }],
      ["token", tokenInput, { userId: "u" }],
      ["rotation", keyRotation, {}],
      ["recalibration", recalibrationInput, {}],
    ];
    for (const [name, schema, given] of bodies)
      expect(schema.parse(withNulls(schema, given)), name).toEqual(schema.parse(given));
    expect(keyInput.parse({ role: "server", name: null, application: null, scopes: null })).toEqual(
      keyInput.parse({ role: "server" }),
    );
  });

  it("E9: is as absent inside of filters, caps and consent", () => {
    const filter = { categories: null, priceMin: null, radiusKm: null, includeUnavailable: null };
    const parsed = recommendationInput.parse({ userId: "u", filter, caps: { perCategory: null } });
    expect(parsed).toEqual(recommendationInput.parse({ userId: "u", filter: {}, caps: {} }));
    expect(userInput.parse({ consent: { location: null } }).consent).toEqual({ location: null });
  });

  it("E9: sets a field of a PATCH to what it has where it is absent", () => {
    expect(
      productPatch.parse({ category: null, discount: null, available: null, attributes: null, price: null }),
    ).toEqual({ category: "unknown", discount: 0, available: true, attributes: {}, price: null });
    expect(userPatch.parse({ home: null, consent: null, attributes: null })).toEqual({
      home: null,
      consent: { location: null },
      attributes: {},
    });
    expect(productPatch.parse({})).toEqual({});
    expect(productPatch.safeParse({ title: null }).success).toBe(false);
  });

  it("E9: is refused where a field is required", () => {
    for (const name of ["eventId", "userId", "type", "productId"]) {
      const event = { eventId: "e", userId: "u", type: "view", productId: "p", [name]: null };
      expect(eventInput.safeParse(event).error?.issues.map(({ path }) => path)).toEqual([[name]]);
    }
  });

  it("E10: attributes may be lists of texts, within bounds", () => {
    const attributes = { color: ["red", "blue"], sizes: [], note: null, big: true, n: 1, text: "a" };
    expect(productInput.parse({ id: "p", title: "T", attributes }).attributes).toEqual(attributes);
    expect(productPatch.parse({ attributes }).attributes).toEqual(attributes);
    expect(userInput.parse({ attributes }).attributes).toEqual(attributes);
    for (const value of [[1], [["a"]], Array(101).fill("a"), { a: 1 }, [null]])
      expect(userInput.safeParse({ attributes: { value } }).error?.issues[0]).toMatchObject({
        path: ["attributes", "value"],
        message: expect.stringContaining("a list of at most 100 such texts"),
      });
  });

  it("keeps a meaning of null, descriptions and defaults, and refuses unknown fields", () => {
    const schema = nullIsAbsent(
      z.strictObject({
        place: z.string().nullable().default(null),
        size: z.number().default(3).meta({ description: "A size." }),
      }),
    );
    expect(schema.parse({ place: null, size: null })).toEqual({ place: null, size: 3 });
    expect(schema.shape.size.meta()).toEqual({ description: "A size." });
    expect(schema.safeParse({ other: 1 }).success).toBe(false);
  });
});
