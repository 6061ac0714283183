import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { plainId } from "../contracts/primitives.ts";
import { type PseudonymKeys, pseudonymKeysOf } from "./pseudonym-keys.ts";
import { openObjectId, type SealedIdScope, sealObjectId } from "./sealed-object-id.ts";

const scope: SealedIdScope = { application: "demo", kind: "recommendation" };
const objectIds = fc.stringMatching(/^[0-9a-f]{64}$/);

describe("S12: a sealed object id", () => {
  let keys: PseudonymKeys;

  beforeAll(async () => {
    keys = await pseudonymKeysOf({ PSEUDONYM_SECRET: "a".repeat(32) });
  });

  it("opens to the object id, and is a valid id of the API", async () => {
    await fc.assert(
      fc.asyncProperty(objectIds, async (objectId) => {
        const id = await sealObjectId(keys, scope, objectId);
        expect(plainId.safeParse(id).success).toBe(true);
        expect(id).toHaveLength(80);
        expect(await openObjectId(keys, scope, id)).toBe(objectId);
      }),
    );
  });

  it("has no byte in common with another id of the object more often than by chance", async () => {
    const objectId = "0123456789abcdef".repeat(4);
    const ids = await Promise.all(
      Array.from({ length: 400 }, async () =>
        Buffer.from(await sealObjectId(keys, scope, objectId), "base64url"),
      ),
    );
    for (let at = 0; at < 60; at++) {
      const values = new Set(ids.map((bytes) => bytes[at]));
      // 400 random bytes have 202 values on average, with a standard deviation of 5.
      expect(values.size).toBeGreaterThan(160);
    }
  });

  it("is refused if a character is another, missing or added", async () => {
    const id = await sealObjectId(keys, scope, "f".repeat(64));
    for (let at = 0; at < id.length; at++) {
      const other = id[at] === "A" ? "B" : "A";
      expect(await openObjectId(keys, scope, id.slice(0, at) + other + id.slice(at + 1))).toBeNull();
    }
    for (const wrong of [
      "",
      id.slice(1),
      `${id}A`,
      `${id}=`,
      `${id.slice(0, -1)}.`,
      "A".repeat(80),
      ` ${id}`,
    ])
      expect(await openObjectId(keys, scope, wrong)).toBeNull();
  });

  it("is refused for another application, another kind and another secret", async () => {
    const id = await sealObjectId(keys, scope, "f".repeat(64));
    expect(await openObjectId(keys, { ...scope, application: "other" }, id)).toBeNull();
    expect(await openObjectId(keys, { ...scope, kind: "erasure" }, id)).toBeNull();
    const otherKeys = await pseudonymKeysOf({ PSEUDONYM_SECRET: "b".repeat(32) });
    expect(await openObjectId(otherKeys, scope, id)).toBeNull();
  });
});
