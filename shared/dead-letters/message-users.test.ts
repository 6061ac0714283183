import { describe, expect, it } from "vitest";
import { isMalformedMessageAbout, messageWithoutErased, userPartOfMessage } from "./message-users.ts";

const ann = "a".repeat(64);
const bob = "b".repeat(64);
const rows = [
  {
    kind: "correction" as const,
    seq: 1,
    correction: { recommendationId: "r", productId: "p", outcome: "purchase" as const, time: 1 },
  },
];
const userOf = (userId: string, pseudonym: string, generation = 0) => ({
  userId,
  pseudonym,
  generation,
  rows,
});
const message = {
  application: "demo",
  users: [userOf("ann", ann), userOf("ann", ann, 1), userOf("bob", bob)],
};

describe("messageWithoutErased", () => {
  it("removes the users of erased generations, and no others", () => {
    expect(messageWithoutErased(message, new Map([[ann, 0]]))).toEqual({
      ...message,
      users: [userOf("ann", ann, 1), userOf("bob", bob)],
    });
  });

  it("returns null if nothing is left, and the same object if nothing was erased", () => {
    expect(
      messageWithoutErased(message, new Map(message.users.map((user) => [user.pseudonym, 1]))),
    ).toBeNull();
    expect(messageWithoutErased(message, new Map())).toBe(message);
    const malformed = { application: "demo", users: "ann" };
    expect(messageWithoutErased(malformed, new Map([[ann, 9]]))).toBe(malformed);
  });
});

describe("userPartOfMessage", () => {
  it("returns the parts of one user only", () => {
    expect(userPartOfMessage(message, bob)).toEqual([userOf("bob", bob)]);
  });
});

describe("isMalformedMessageAbout", () => {
  it("finds a user in a message that matches no schema", () => {
    const user = { userId: "ann", pseudonym: ann };
    expect(isMalformedMessageAbout({ application: "demo", users: "ann" }, user)).toBe(true);
    expect(isMalformedMessageAbout({ application: "demo", users: "bob" }, user)).toBe(false);
    expect(isMalformedMessageAbout(message, user)).toBe(false);
  });
});
