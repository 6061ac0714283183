import type { EventType } from "../../../shared/contracts/event.ts";
import type { ExperimentCounts } from "../../../shared/contracts/queues.ts";
import type { ReceiptRecord } from "../../../shared/contracts/receipt.ts";
import { isRollout, participationsOf } from "../../../shared/experiments/variant.ts";
import { hourSeconds } from "../../../shared/time/seconds.ts";
import type { SessionStore } from "../store/session-store.ts";
import { addMeasures, noMeasures, type StoredMeasures } from "./experiment-measures.ts";
import { strongestOutcomes } from "./strongest-outcomes.ts";

/**
 * Events that make a recommendation a success. A view or a dismissal does not, and a product that was clicked and then
 * dismissed does not.
 */
const successEvents: ReadonlySet<EventType> = new Set(["click", "cart", "purchase"]);

/** Prefix of the names under which the table `meta` holds counts of experiments. */
const countsPrefix = "counts:";

/** Returns the name of the counts of a variant in the table `meta`. */
export const countsName = (variant: string): string => `${countsPrefix}${variant}`;

/** Returns the variant whose counts the table `meta` holds under a name. */
export const countsVariantOf = (name: string): string => name.slice(countsPrefix.length);

/** The user's counts in an arm, as the object stores them. */
export interface StoredCounts {
  exposures: number;
  successes: number;
  /** The UTC hour of the last counted impression, in hours since the epoch, and how many of it counted. */
  hour: number;
  inHour: number;
  /** Absent for the rollout of a model. */
  measures?: StoredMeasures;
}

const noCounts: StoredCounts = { exposures: 0, successes: 0, hour: 0, inHour: 0 };

/** Returns the counts that a text of the table `meta` holds; null stands for none. */
export const storedCountsOf = (text: string | null): StoredCounts => ({
  ...noCounts,
  ...JSON.parse(text ?? "{}"),
});

/** Returns counts as a message states them: what only this object needs is left out. */
export function statedCounts({ exposures, successes, measures }: StoredCounts) {
  if (!measures) return { exposures, successes };
  const { since: _, ...stated } = measures;
  return { exposures, successes, measures: stated };
}

/** Returns the id of the row that sends counts. The same counts have the same id, so that they are sent once. */
export const countsRowId = (name: string, { exposures, measures }: StoredCounts): string =>
  measures ? `${name}:${exposures}:${measures.revision}` : `${name}:${exposures}`;

/** Returns the counts of two users in one arm together, as the object stores them. `own` is null if the first has none. */
export function addStoredCounts(own: string | null, more: string): StoredCounts {
  const [a, b] = [storedCountsOf(own), storedCountsOf(more)];
  const hour = Math.max(a.hour, b.hour);
  const inHour = [a, b].reduce((sum, each) => sum + (each.hour === hour ? each.inHour : 0), 0);
  const measures =
    a.measures && b.measures ? addMeasures(a.measures, b.measures) : (a.measures ?? b.measures);
  return {
    ...{ exposures: a.exposures + b.exposures, successes: a.successes + b.successes, hour, inHour },
    ...(measures ? { measures } : {}),
  };
}

/**
 * Adds an impression whose click window has closed to the user's counts in its experiment. Returns the new counts and
 * the id of their journal row; null if the impression belongs to no experiment, or if `maxPerHour` impressions of its
 * UTC hour have counted. `variant` names one experiment. Call this in the transaction that closes the click window, so that each impression counts once.
 * The counts are absolute: of two messages, the one with the larger counts is newer.
 */
export function countClosedImpression(
  store: Pick<SessionStore, "getMeta" | "setMeta">,
  { variant, time, measures: ofList }: Pick<ReceiptRecord, "variant" | "time" | "measures">,
  outcomes: readonly { product: string; type: string }[],
  now: number,
  maxPerHour: number,
): { id: string; counts: ExperimentCounts } | null {
  const [participation] = participationsOf(variant);
  if (!participation) return null;
  const name = countsName(variant);
  const before = storedCountsOf(store.getMeta(name));
  const since = Date.parse(time) / 1000;
  const hour = Math.floor(since / hourSeconds);
  const counted = before.hour === hour ? before.inHour : 0;
  if (counted >= maxPerHour) return null;
  const isSuccess = [...strongestOutcomes(outcomes).values()].some((type) => successEvents.has(type));
  const counts: StoredCounts = {
    exposures: before.exposures + 1,
    successes: before.successes + (isSuccess ? 1 : 0),
    hour,
    inHour: counted + 1,
  };
  if (!isRollout(participation.experiment))
    counts.measures = addMeasures(before.measures ?? noMeasures(since), {
      ...noMeasures(since),
      revision: 1,
      ...ofList,
    });
  store.setMeta(name, JSON.stringify({ ...counts, at: now }));
  return { id: countsRowId(name, counts), counts: { ...participation, ...statedCounts(counts) } };
}
