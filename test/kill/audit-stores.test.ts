import { describe, expect, it } from "vitest";
import { emptyTotals } from "../../shared/contracts/totals.ts";
import { auditStores, isExactlyOnce } from "./audit-stores.ts";
import { DeliveryLedger, type SentEvent } from "./delivery-ledger.ts";
import type { StoredData } from "./read-stores.ts";

const event = (eventId: string, hour: number): SentEvent => ({
  eventId,
  userId: "u",
  type: "view",
  productId: "p",
  timestamp: `2026-01-01T0${hour}:00:00Z`,
});
const receipt = (accepted: number, duplicates: number) => ({
  accepted,
  duplicates,
  rejected: [],
  warnings: [],
});
const events = [event("a", 0), event("b", 1)];

function storedData(views: number, ids: string[]): StoredData {
  const totals = new Map([["p", { ...emptyTotals(), view: views, people: 1 }]]);
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
function acknowledgedLedger(): DeliveryLedger {
  const ledger = new DeliveryLedger();
  ledger.recordSent(events);
  ledger.recordReceipt(events, receipt(2, 0));
  return ledger;
}

describe("auditStores", () => {
  it("accepts each event once, and reports a lost and an extra event in every store", () => {
    expect(isExactlyOnce(auditStores(acknowledgedLedger(), storedData(2, ["a", "b"])))).toBe(true);
    const oneLost = auditStores(acknowledgedLedger(), storedData(1, ["a"]));
    expect(oneLost.slice(0, 4).map(({ lost, extra }) => [lost, extra])).toEqual(Array(4).fill([1, 0]));
    const oneExtra = auditStores(acknowledgedLedger(), storedData(3, ["a", "b", "c"]));
    expect(oneExtra.slice(0, 4).map(({ lost, extra }) => [lost, extra])).toEqual(Array(4).fill([0, 1]));
  });
});

describe("DeliveryLedger", () => {
  it("reports a receipt that contradicts an earlier one", () => {
    const ledger = acknowledgedLedger();
    ledger.recordReceipt(events, receipt(1, 1));
    expect(ledger.contradictions).toHaveLength(1);
    const unanswered = new DeliveryLedger();
    unanswered.recordSent(events);
    unanswered.recordUnknown(events);
    expect(unanswered.countUnacknowledged()).toBe(2);
    unanswered.recordReceipt(events, receipt(1, 1));
    expect([unanswered.contradictions, unanswered.countUnacknowledged()]).toEqual([[], 0]);
  });
});
