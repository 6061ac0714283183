import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventInput } from "./event.ts";
import { parseTimestamp, timestamp } from "./timestamp.ts";

describe("timestamp", () => {
  it("E4: accepts ISO 8601 with any offset, and returns the time in UTC", () => {
    const times: [string, string][] = [
      ["2026-11-30T01:45:43+00:00", "2026-11-30T01:45:43.000Z"],
      ["2026-11-30T01:45:43Z", "2026-11-30T01:45:43.000Z"],
      ["2026-11-30t01:45:43z", "2026-11-30T01:45:43.000Z"],
      ["2026-11-30 01:45:43-08:00", "2026-11-30T09:45:43.000Z"],
      ["2026-11-30T01:45:43+0530", "2026-11-29T20:15:43.000Z"],
      ["2026-11-30T01:45:43+05", "2026-11-29T20:45:43.000Z"],
      ["2026-11-30T01:45:43\u22125:30".replace("5:30", "05:30"), "2026-11-30T07:15:43.000Z"],
      ["2026-11-30T01:45:43-00:00", "2026-11-30T01:45:43.000Z"],
      ["2026-11-30T01:45:43.565+00:00", "2026-11-30T01:45:43.565Z"],
      ["2026-11-30T01:45:43.5654321Z", "2026-11-30T01:45:43.565Z"],
      ["2026-11-30T01:45:43,5Z", "2026-11-30T01:45:43.500Z"],
      ["2026-11-30T01:45Z", "2026-11-30T01:45:00.000Z"],
      ["2024-02-29T23:59:60Z", "2024-03-01T00:00:00.000Z"],
      ["2026-01-01T00:30:00+14:00", "2025-12-31T10:30:00.000Z"],
      ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
      ["2026-12-31T24:00:00Z", "2027-01-01T00:00:00.000Z"],
      ["2026-12-31T24:00+01:00", "2026-12-31T23:00:00.000Z"],
      ["20261130T014543Z", "2026-11-30T01:45:43.000Z"],
      ["20261130T014543.5-0800", "2026-11-30T09:45:43.500Z"],
      ["2026-11-30T01:45:43.123456789+00:00", "2026-11-30T01:45:43.123Z"],
    ];
    for (const [text, utc] of times) {
      expect(timestamp.safeParse(text).data, text).toBe(utc);
      expect(timestamp.parse(utc)).toBe(utc);
    }
  });

  it("E4: refuses other texts with the rule and what was found", () => {
    const found: [string, string][] = [
      ["2026-11-30", "a date without a time"],
      ["2026-11-30T01:45:43", "a time without an offset"],
      ["2026-02-30T00:00:00Z", "the date 2026-02-30"],
      ["2026-13-01T00:00:00Z", "the date 2026-13-01"],
      ["2026-11-30T24:00:01Z", "the hour 24"],
      ["2026-11-30T25:00:00Z", "the hour 25"],
      ["2026-1130T01:45:43Z", "another text"],
      ["2026-W48-1T01:45:43Z", "another text"],
      ["-2026-11-30T01:45:43Z", "another text"],
      ["2026-11-30T01:60:00Z", "the minute 60"],
      ["2026-11-30T01:45:60Z", "the second 60"],
      ["2026-11-30T01:45:43+24:00", "the offset +24:00"],
      ["0000-01-01T00:00:00+01:00", "the year 0"],
      ["31/01/2026", "another text"],
      ["1796024394", "a number; if it is a Unix time, send 2026-11-30T07:39:54.000Z"],
      ["1796024394000", "a number; if it is a Unix time, send 2026-11-30T07:39:54.000Z"],
      ["20261130", "a date without a time"],
      ["2026-11-30T01:45:43Z ", "another text"],
      ["", "another text"],
    ];
    for (const [text, what] of found) {
      const message = timestamp.safeParse(text).error?.issues[0].message;
      expect(message, text).toContain(what);
      expect(message).toContain("must be ISO 8601 with a time and an offset");
      expect(message).toContain(JSON.stringify(text));
    }
  });

  it("E4: refuses other values than texts with the rule, what was found, and the right form", () => {
    const found: [unknown, string][] = [
      [1796024394, "a number; if it is a Unix time, send 2026-11-30T07:39:54.000Z: 1796024394"],
      [1796024394123, "send 2026-11-30T07:39:54.123Z: 1796024394123"],
      [0, "a number: 0"],
      [true, "no text: true"],
      [{}, "no text: {}"],
    ];
    for (const [value, what] of found) {
      const message = timestamp.safeParse(value).error?.issues[0].message;
      expect(message).toContain(`must be ISO 8601 with a time and an offset`);
      expect(message).toContain(what);
    }
  });

  it("E4: means the same moment as the platform, for every offset", () => {
    const time = fc.integer({ min: Date.UTC(1, 0, 2), max: Date.UTC(9999, 0, 1) });
    fc.assert(
      fc.property(time, fc.integer({ min: -23 * 60, max: 23 * 60 }), (ms, offset) => {
        const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1);
        const [hours, minutes] = [Math.floor(Math.abs(offset) / 60), Math.abs(offset) % 60];
        const digits = [hours, minutes].map((each) => String(each).padStart(2, "0"));
        for (const separator of [":", ""])
          expect(parseTimestamp(`${local}${offset < 0 ? "-" : "+"}${digits.join(separator)}`)).toBe(ms);
      }),
    );
  });

  it("E4: is the time of an event, which keeps its text in UTC", () => {
    const event = { eventId: "e", userId: "u", type: "view", productId: "p" };
    expect(eventInput.parse({ ...event, timestamp: "2026-11-30T01:45:43+05:30" }).timestamp).toBe(
      "2026-11-29T20:15:43.000Z",
    );
  });
});
