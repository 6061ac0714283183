import { emptyTotals, type Totals } from "../../shared/contracts/totals.ts";
import type { DeliveryLedger, SentEvent } from "./delivery-ledger.ts";
import type { StoredData } from "./read-stores.ts";

/** How one store compares with what clients were told. */
export interface AuditFinding {
  store: string;
  expected: number;
  stored: number;
  lost: number;
  /** Counted twice, or never sent. */
  extra: number;
}

/** Totals as they must be: each event once, each person once per product. */
function countTotals(events: Iterable<SentEvent>): Map<string, Totals> {
  const totals = new Map<string, Totals>();
  const users = new Map<string, Set<string>>();
  for (const { productId, type, userId } of events) {
    const counts = totals.get(productId) ?? emptyTotals();
    totals.set(productId, counts);
    counts[type]++;
    const known = users.get(productId) ?? new Set();
    users.set(productId, known.add(userId));
    counts.people = known.size;
  }
  return totals;
}

function compareTotals(
  store: string,
  expected: Map<string, Totals>,
  held: Map<string, Totals>,
): AuditFinding {
  const finding: AuditFinding = { store, expected: 0, stored: 0, lost: 0, extra: 0 };
  for (const id of new Set([...expected.keys(), ...held.keys()])) {
    const wanted = { ...(expected.get(id) ?? emptyTotals()) };
    const found = held.get(id) ?? emptyTotals();
    for (const name of ["view", "click", "cart", "purchase", "dismiss", "people"] as const) {
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

/** Compares what clients were told with what is held. Places may be kept twice where an answer was lost: they have no identity. */
export function auditStores(ledger: DeliveryLedger, stored: StoredData): AuditFinding[] {
  const totals = countTotals(ledger.events.values());
  const n = ledger.events.size;
  return [
    compareInteractions(ledger, stored),
    compareTotals("D1 totals (counts and people)", totals, stored.totals),
    compareTotals("cells (counts and people)", totals, stored.cellTotals),
    {
      store: "training log (snapshot)",
      expected: n,
      stored: stored.loggedInteractions,
      lost: Math.max(0, n - stored.loggedInteractions),
      extra: Math.max(0, stored.loggedInteractions - n),
    },
    {
      store: "D1 places of people",
      expected: ledger.locationUpdates.acknowledged,
      stored: stored.locations,
      lost: Math.max(0, ledger.locationUpdates.acknowledged - stored.locations),
      extra: Math.max(0, stored.locations - ledger.locationUpdates.sent),
    },
  ];
}

/** Whether nothing is lost and nothing is there twice. */
export const isExactlyOnce = (findings: readonly AuditFinding[]): boolean =>
  findings.every(({ lost, extra }) => lost === 0 && extra === 0);
