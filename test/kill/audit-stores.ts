import { countFields, emptyTotals, type Totals } from "../../shared/contracts/totals.ts";
import { expectedTotals } from "../support/expected-totals.ts";
import type { DeliveryLedger } from "./delivery-ledger.ts";
import type { StoredData } from "./read-stores.ts";

/** Differences between one store and the events that clients sent. */
export interface AuditFinding {
  store: string;
  expected: number;
  stored: number;
  /** Number that the store lacks. */
  lost: number;
  /** Number that the store counts twice, or that no client sent. */
  extra: number;
}

function compareTotals(
  store: string,
  expected: Map<string, Totals>,
  stored: Map<string, Totals>,
): AuditFinding {
  const finding: AuditFinding = { store, expected: 0, stored: 0, lost: 0, extra: 0 };
  for (const id of new Set([...expected.keys(), ...stored.keys()])) {
    const wanted = { ...(expected.get(id) ?? emptyTotals()) };
    const found = stored.get(id) ?? emptyTotals();
    for (const name of countFields) {
      finding.expected += wanted[name];
      finding.stored += found[name];
      finding.lost += Math.max(0, wanted[name] - found[name]);
      finding.extra += Math.max(0, found[name] - wanted[name]);
    }
  }
  return finding;
}

function compareInteractions({ events }: DeliveryLedger, { interactions }: StoredData): AuditFinding {
  const wanted = new Map(events);
  let extra = 0;
  for (const row of interactions) {
    const key = `${row.userId}/${row.eventId}`;
    const event = wanted.get(key);
    const same =
      event?.type === row.type &&
      event.productId === row.productId &&
      (event.recommendationId ?? null) === row.recommendationId;
    if (same) wanted.delete(key);
    else extra++;
  }
  return {
    store: "D1 interactions",
    expected: events.size,
    stored: interactions.length,
    lost: wanted.size,
    extra,
  };
}

/**
 * Compares each store with what clients sent. Location updates have no id, so a client that got no answer may have stored
 * one more than the API acknowledged.
 */
export function auditStores(ledger: DeliveryLedger, stored: StoredData): AuditFinding[] {
  const totals = expectedTotals(ledger.events.values());
  const eventCount = ledger.events.size;
  return [
    compareInteractions(ledger, stored),
    compareTotals("D1 totals (events and users)", totals, stored.totals),
    compareTotals("cell totals (events and users)", totals, stored.cellTotals),
    {
      store: "training log",
      expected: eventCount,
      stored: stored.loggedInteractions,
      lost: Math.max(0, eventCount - stored.loggedInteractions),
      extra: Math.max(0, stored.loggedInteractions - eventCount),
    },
    {
      store: "D1 user locations",
      expected: ledger.locationUpdates.acknowledged,
      stored: stored.locations,
      lost: Math.max(0, ledger.locationUpdates.acknowledged - stored.locations),
      extra: Math.max(0, stored.locations - ledger.locationUpdates.sent),
    },
  ];
}

/** Returns whether no store lost an event or has an extra one. */
export const isExactlyOnce = (findings: readonly AuditFinding[]): boolean =>
  findings.every(({ lost, extra }) => lost === 0 && extra === 0);
