import fc from "fast-check";
import { expect, it } from "vitest";
import { identifierProblem } from "../../shared/contracts/identifier.ts";
import { cardKey } from "./card-cache.ts";

it("E8: has one key of at most 512 bytes for each product of each application, whatever its id contains", () => {
  const unit = fc.oneof(
    fc.constantFrom("/", ":", "%", "2", "F", ".", "a", " ", "é"),
    fc.string({ unit: "grapheme", maxLength: 1 }),
  );
  const id = fc.string({ unit, maxLength: 40 }).filter((text) => identifierProblem(text) === null);
  const application = fc.constantFrom("a", "a-card", "card", "x".repeat(32));
  fc.assert(
    fc.property(application, id, application, id, (oneApplication, oneId, otherApplication, otherId) => {
      const [one, other] = [cardKey(oneApplication, oneId), cardKey(otherApplication, otherId)];
      expect(one === other).toBe(oneApplication === otherApplication && oneId === otherId);
      expect(one).toMatch(/^[a-z-]+\/card\/[^/:]+$/);
    }),
  );
  expect(cardKey("x".repeat(32), "é".repeat(64)).length).toBeLessThan(512);
  expect(cardKey("x".repeat(32), "/".repeat(128)).length).toBeLessThan(512);
});
