import * as z from "zod";
import { applicationsShare } from "./applications-share.ts";

const days = (defaultDays: number) => z.number().int().min(1).max(36_500).default(defaultDays);

/**
 * Retention in days, by kind of data. Data of other kinds is kept until it is deleted or its user is erased
 * (docs/schema.md). Tombstones must outlive every copy of an erased user's data.
 */
export const retention = z
  .strictObject({
    /** Interactions in the databases, by the time of the event. The training log has what it needs of older ones. */
    interactions: days(90),
    /** Hourly totals. Older hours are added up by hour of the week. The sums stay, because they name no user. */
    hourlyTotals: days(400),
    /** Locations that users reported. */
    places: days(90),
    trainingLog: days(60),
    /** Records of recalibrations and evaluations. */
    recalibrations: days(365),
    deadLetters: days(60),
    /** Tombstones of erased users. */
    tombstones: days(400),
    /** API keys, counted from their revocation or expiry. */
    keys: days(90),
    /** Reports of imports. */
    imports: days(30),
  })
  .refine(
    ({ tombstones, trainingLog, deadLetters }) => tombstones > trainingLog && tombstones > deadLetters,
    {
      message: "tombstones must outlive the training log and dead-letter messages",
    },
  );
export type Retention = z.infer<typeof retention>;

/** The arguments of `applyRetention`. */
export const retentionCall = z.object({ input: retention, share: applicationsShare });

/**
 * Number of rows or objects that one step of retention removed, by kind. A step is bounded; the next step continues.
 */
export type RemovedCounts = Partial<Record<keyof Retention, number>>;

const daySeconds = 86_400;

/** Returns the time before which data that is kept `keptDays` days has expired, in seconds since the epoch. */
export const expiryTime = (now: number, keptDays: number): number => now - keptDays * daySeconds;
