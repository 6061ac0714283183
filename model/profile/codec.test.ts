import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyInteraction } from "./apply-interaction.ts";
import { decodeProfile, decodeShown, encodeProfile, encodeShown } from "./codec.ts";
import { emptyProfile, profileLimits, type UserProfile } from "./profile.ts";
import { noteShown } from "./shown-products.ts";
import { anyProfile } from "./testing/any-profile.ts";
import { interaction } from "./testing/interaction.ts";

/** Returns the bytes of a profile as versions 4 and 5 wrote them. */
const asJson = (version: number, profile: object): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({ version, ...profile }, (_, value) => (value instanceof Map ? [...value] : value)),
  );

/** A profile of a view, a purchase and a dismissal, as version 6 wrote it, in base64. */
const version6 = [
  "BgoEBQQBAwgFDwsFPXZpZXdsYXR0ZWNhZmVjRVVScHVyY2hhc2Vtb2NoYTg4MDk5OTNiMTVmZmZmZmxhdHRlCmxhdHRlZXhhY3QD",
  "AgIAAQID/jMzMzMz801A/mZmZmZmZiVA/OgDBP0AeOdo/RCG52j/BQECA/4zMzMzM/NNQP5mZmZmZmYlQPzoAwT9gMnoaP2Q1+ho",
  "/wEBAwL+MzMzMzPzTUD+ZmZmZmZmJUAFAQAAAQAC/QB452j9gMnoaP2AyehoAv0Qhudo/ZDX6GgB/wEGAf28yeho/wEBAf2Ayeho",
  "/YDJ6GgBAgIBAv6oSXp4c3HKv/4ADLZ+sWuXv/28yehoGAAAAAAAAAAAAAIAAAAAAAAAAAAAAAAAAAcAAAABAQAAAQT+oP+PmYqh",
  "K0ACAQf+MzMzMzPzTUD+ZmZmZmZmJUAC/sbZ0BP00P8//YDJ6GgBCAH9gMnoaP8AAAAAABgAAAAAAAAAAAACAAAAAAAAAAAAAAAA",
  "AAAHAAAAAQEAAAEE/qD/j5mKoStAAv////8JAA==",
].join("");

/** Returns the profile of a user with many choices. */
function longHistory(): UserProfile {
  const profile = emptyProfile("exact");
  for (let i = 0; i < 2000; i++)
    applyInteraction(profile, interaction(`product ${i % 700}`, 1_700_000_000.25 + i * 60), 3600);
  return profile;
}

describe("encodeProfile", () => {
  it("encodes any profile so that decodeProfile returns the same one, each number bit for bit", () => {
    fc.assert(
      fc.property(anyProfile, (profile) => {
        const decoded = decodeProfile(encodeProfile(profile), profile.precision);
        // Unlike toEqual, this compares the order of maps, -0 and 0, and absent and undefined properties.
        expect(entriesOf(decoded)).toStrictEqual(entriesOf(profile));
      }),
      { numRuns: 500 },
    );
  });

  it("encodes a profile without any entry, and the texts of all languages", () => {
    expect(decodeProfile(encodeProfile(emptyProfile("none")), "none")).toStrictEqual(emptyProfile("none"));
    const profile = emptyProfile();
    for (const id of ["", "\ufeffmark", "ünï 🍞", "寿司", "a\nb"])
      profile.transitions.set(id, { count: 1, last: 2 });
    expect([...decodeProfile(encodeProfile(profile), profile.precision).transitions.keys()]).toEqual([
      ...profile.transitions.keys(),
    ]);
  });

  it("gives equal profiles equal bytes, in an array buffer of their own", () => {
    const bytes = encodeProfile(longHistory());
    expect(encodeProfile(longHistory())).toEqual(bytes);
    expect(encodeProfile(decodeProfile(bytes, "exact"))).toEqual(bytes);
    expect(bytes.buffer.byteLength).toBe(bytes.byteLength);
  });

  it("takes less than half of the bytes of JSON", () => {
    const profile = longHistory();
    expect(profile.products.size).toBe(profileLimits.products);
    expect(encodeProfile(profile).byteLength).toBeLessThan(asJson(5, profile).byteLength / 2);
  });
});

describe("encodeShown", () => {
  it("encodes what lists showed, and nothing else, in at most nine kilobytes", () => {
    const profile = longHistory();
    for (let list = 0; list < 100; list++)
      noteShown(
        profile,
        Array.from({ length: 10 }, (_, i) => `a product with a long id ${list * 10 + i}`),
        1_800_000_000 + list * 86_400,
      );
    const { shown, shownUntil } = profile;
    expect(shown.size).toBe(profileLimits.shown);
    const bytes = encodeShown(profile);
    expect(decodeShown(bytes)).toEqual({ shown, shownUntil });
    expect(bytes.byteLength).toBeLessThan(11_000);
    expect(() => decodeShown(Uint8Array.from([6, ...bytes.subarray(1)]))).toThrow("version 7");
  });
});

describe("decodeProfile", () => {
  it("decodes no bytes, and bytes of unknown versions, to an empty profile", () => {
    const [, ...rest] = encodeProfile(longHistory());
    for (const bytes of [[], [8, ...rest], [0], [255, 1, 2]])
      expect(decodeProfile(Uint8Array.from(bytes), "city")).toEqual(emptyProfile("city"));
    expect(decodeProfile(asJson(3, emptyProfile()), "city")).toEqual(emptyProfile("city"));
  });

  it("throws an error for bytes that are cut off, or followed by others", () => {
    fc.assert(
      fc.property(anyProfile, fc.nat(), (profile, cut) => {
        const bytes = encodeProfile(profile);
        const length = 1 + (cut % (bytes.length - 1));
        expect(() => decodeProfile(bytes.subarray(0, length), "exact")).toThrow();
        expect(() => decodeProfile(Uint8Array.from([...bytes, 0]), "exact")).toThrow();
      }),
    );
  });

  it("reads bytes in the middle of an array buffer", () => {
    const bytes = encodeProfile(longHistory());
    const larger = new Uint8Array(bytes.length + 20);
    larger.set(bytes, 7);
    expect(decodeProfile(larger.subarray(7, 7 + bytes.length), "exact")).toEqual(longHistory());
  });

  it("applies the default consent to a profile that states none, and keeps a stated one", () => {
    const unstated = { ...emptyProfile("city"), finestStored: "city" as const };
    expect(decodeProfile(encodeProfile(unstated), "exact")).toMatchObject({
      precision: "exact",
      finestStored: "exact",
    });
    expect(decodeProfile(encodeProfile(unstated), "none")).toMatchObject({
      precision: "none",
      finestStored: "city",
    });
    const stated = { ...unstated, statedPrecision: "city" as const };
    expect(decodeProfile(encodeProfile(stated), "exact").precision).toBe("city");
  });

  it("reads the bytes of version 6, which did not know what lists showed", () => {
    const profile = emptyProfile("exact");
    applyInteraction(profile, interaction("latte", 1_760_000_000), 3600);
    applyInteraction(profile, interaction("latte", 1_760_086_400, { type: "purchase" }), 3600);
    applyInteraction(profile, interaction("mocha", 1_760_086_460, { type: "dismiss" }), 3600);
    expect(
      decodeProfile(
        Uint8Array.from(atob(version6), (each) => each.charCodeAt(0)),
        "exact",
      ),
    ).toEqual(profile);
  });

  it("reads the JSON of version 5, also without the fields that were added to it later", () => {
    const profile = longHistory();
    expect(decodeProfile(asJson(5, profile), "exact")).toEqual(profile);
    const { activity: _, unconfirmedLocation: __, ...early } = profile;
    const { products, ...rest } = decodeProfile(asJson(5, early), "exact");
    expect(rest).toEqual({ ...emptyProfile("exact"), ...profile, products: undefined });
    // Every choice counted for others before.
    const stats = products.get("product 599");
    expect(stats?.counted).toEqual({ view: [stats?.choices, Math.floor((stats?.last ?? 0) / 3600)] });
  });

  it("reads the stated consent in the JSON of version 4", () => {
    const of = (precision: string, settingsVersion: number) => {
      const { statedPrecision: _, finestStored: __, ...fields } = emptyProfile();
      return decodeProfile(asJson(4, { ...fields, precision, settingsVersion }), "exact");
    };
    expect(of("1km", 2)).toMatchObject({ statedPrecision: "approximate", precision: "approximate" });
    expect(of("city", 0)).toMatchObject({ statedPrecision: null, precision: "exact" });
  });
});

/** Returns a profile with maps and objects as lists of their entries, in order. */
function entriesOf(value: unknown): unknown {
  if (value instanceof Map) return [...value].map(([key, each]) => [key, entriesOf(each)]);
  if (Array.isArray(value)) return value.map(entriesOf);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, entriesOf(each)]));
}
