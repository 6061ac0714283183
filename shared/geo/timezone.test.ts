import { describe, expect, it } from "vitest";
import { cachedUtcOffset, utcOffsetSeconds } from "./timezone.ts";

describe("utcOffsetSeconds", () => {
  it("returns offsets in winter and summer, of half hours, and of UTC", () => {
    const january = Date.UTC(2026, 0, 15, 12) / 1000;
    const july = Date.UTC(2026, 6, 15, 12) / 1000;
    expect(utcOffsetSeconds("America/New_York", january)).toBe(-5 * 3600);
    expect(utcOffsetSeconds("America/New_York", july)).toBe(-4 * 3600);
    expect(utcOffsetSeconds("Asia/Kolkata", january)).toBe(5.5 * 3600);
    expect(utcOffsetSeconds("UTC", july)).toBe(0);
    expect(cachedUtcOffset("Europe/Paris")(july)).toBe(2 * 3600);
  });
});
