import { describe, expect, it } from "vitest";
import { trustedRequester } from "../../../shared/contracts/requester.ts";
import { isWithinLiveWindow, maxAgeOf, timeRejection } from "./event-time.ts";

const now = 1_760_000_000;
const token = { ...trustedRequester, tokenIssuedAt: now - 60 };

describe("maxAgeOf", () => {
  it("S4: accepts events of the last 15 minutes from a user token, of 7 days from a key", () => {
    const isAccepted = (requester: typeof token | typeof trustedRequester, secondsAgo: number) =>
      isWithinLiveWindow(now - secondsAgo, now, maxAgeOf(requester));
    for (const vouched of [true, false]) {
      expect(isAccepted({ ...token, isVouched: vouched }, 899)).toBe(true);
      expect(isAccepted({ ...token, isVouched: vouched }, 901)).toBe(false);
    }
    expect(isAccepted(trustedRequester, 7 * 86_400 - 1)).toBe(true);
    expect(isAccepted(trustedRequester, 7 * 86_400 + 1)).toBe(false);
    expect(isAccepted(token, -301)).toBe(false);
  });
});

describe("timeRejection", () => {
  it("says how old an event may be, and where an older one goes", () => {
    const messageFor = (requester: typeof token | typeof trustedRequester) =>
      timeRejection(now - 8 * 86_400, now, maxAgeOf(requester)).message;
    expect(messageFor(token)).toMatch(/at most 15 minutes old .* With a server key/);
    expect(messageFor(trustedRequester)).toMatch(/at most 7 days old .* POST \/v1\/events\/bulk/);
    expect(timeRejection(now + 600, now, null).message).toMatch(/^`timestamp` must be at most 5 minutes/);
  });
});
