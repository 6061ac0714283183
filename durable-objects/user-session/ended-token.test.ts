import { describe, expect, it } from "vitest";
import { trustedRequester } from "../../shared/contracts/requester.ts";
import { refuseEndedToken } from "./ended-token.ts";

const token = (tokenIssuedAt: number) => ({ ...trustedRequester, tokenIssuedAt });

describe("refuseEndedToken", () => {
  it("S10: refuses tokens issued at or before the erasure or merge, and none issued a millisecond after it", () => {
    expect(refuseEndedToken(token(99.5), 100.25)).toMatchObject({
      ok: false,
      error: { code: "unauthorized" },
    });
    expect(refuseEndedToken(token(100.25), 100.25)?.error.detail).toContain(
      "erased or merged into another user",
    );
    expect(refuseEndedToken(token(100.251), 100.25)).toBeNull();
  });

  it("refuses no key, and no token of a user who was never erased or merged", () => {
    expect(refuseEndedToken(trustedRequester, 100)).toBeNull();
    expect(refuseEndedToken(token(1), null)).toBeNull();
  });
});
