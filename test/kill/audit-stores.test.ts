import { describe, expect, it } from "vitest";
import { emptyTotals } from "../../shared/contracts/totals.ts";
import { auditStores, isExactlyOnce } from "./audit-stores.ts";
import { DeliveryLedger, type SentEvent } from "./delivery-ledger.ts";
import type { StoredData } from "./read-stores.ts";

const event = (eventId: string): SentEvent => ({
  eventId,
  userId: "u",
  type: "view",
  productId: "p",
  timestamp: "2026-01-01T00:00:00Z",
});
const receipt = (accepted: number, duplicates: number) => ({
  accepted,
  duplicates,
  rejected: [],
  warnings: [],
});
const events = [event("a"), event("b")];

function heldOf(views: number, ids: string[]): StoredData {
  const totals = new Map([["p", { ...emptyTotals(), view: views, users: 1 }]]);
  return {
    interactions: ids.map((eventId) => ({
      userId: "u",
      eventId,
      type: "view",
      productId: "p",
      recommendationId: null,
    })),
    totals,
    cellTotals: totals,
    locations: 0,
    loggedInteractions: views,
    logObjects: 1,
  };
}
function told(): DeliveryLedger {
  const ledger = new DeliveryLedger();
  ledger.recordSent(events);
  ledger.recordReceipt(events, receipt(2, 0));
  return ledger;
}

describe("the audit of the kill test", () => {
  it("is content with each event once, and with nothing else", () => {
    expect(isExactlyOnce(auditStores(told(), heldOf(2, ["a", "b"])))).toBe(true);
    const one = auditStores(told(), heldOf(1, ["a"]));
    expect(one.slice(0, 4).map(({ lost, extra }) => [lost, extra])).toEqual(Array(4).fill([1, 0]));
    const three = auditStores(told(), heldOf(3, ["a", "b", "c"]));
    expect(three.slice(0, 4).map(({ lost, extra }) => [lost, extra])).toEqual(Array(4).fill([0, 1]));
  });

  it("notices an answer that contradicts what was told before", () => {
    const ledger = told();
    ledger.recordReceipt(events, receipt(1, 1));
    expect(ledger.contradictions).toHaveLength(1);
    const unsure = new DeliveryLedger();
    unsure.recordSent(events);
    unsure.recordUnknown(events);
    expect(unsure.countUnacknowledged()).toBe(2);
    unsure.recordReceipt(events, receipt(1, 1));
    expect([unsure.contradictions, unsure.countUnacknowledged()]).toEqual([[], 0]);
  });
});
