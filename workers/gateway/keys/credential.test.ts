import { describe, expect, it } from "vitest";
import { credentialOf, negotiatedSubprotocol } from "./credential.ts";

const upgrade = (offer: string) => new Headers({ upgrade: "websocket", "sec-websocket-protocol": offer });

describe("credentialOf", () => {
  it("reads a bearer token from the authorization header, in any case of the scheme", () => {
    expect(credentialOf(new Headers({ authorization: "Bearer abc" }))).toBe("abc");
    expect(credentialOf(new Headers({ authorization: "bearer  abc" }))).toBe("abc");
    for (const wrong of ["", "abc", "Bearer", "Bearer a b", "Basic abc"])
      expect(credentialOf(new Headers({ authorization: wrong })), wrong).toBeNull();
  });

  it("reads a subprotocol of WebSocket requests only", () => {
    expect(credentialOf(upgrade("vicinity, abc"))).toBe("abc");
    expect(credentialOf(upgrade("bearer,abc"))).toBe("abc");
    expect(credentialOf(upgrade("bearer.a.b.c"))).toBe("a.b.c");
    expect(credentialOf(upgrade("abc"))).toBe("abc");
    expect(credentialOf(upgrade("vicinity"))).toBeNull();
    expect(credentialOf(new Headers({ "sec-websocket-protocol": "abc" }))).toBeNull();
  });
});

describe("negotiatedSubprotocol", () => {
  it("prefers a name over a credential, and returns only an offered subprotocol", () => {
    expect(negotiatedSubprotocol(upgrade("abc, vicinity"))).toBe("vicinity");
    expect(negotiatedSubprotocol(upgrade("abc"))).toBe("abc");
    expect(negotiatedSubprotocol(new Headers())).toBeNull();
  });
});
