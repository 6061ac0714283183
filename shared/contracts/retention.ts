import { z } from "zod";

const days = (defaultDays: number) => z.number().int().min(1).max(36_500).default(defaultDays);

/**
 * How long what ages is kept, in days; what is not named here lives until it is deleted or its person is erased
 * (docs/schema.md). Tombstones outlive whatever could still name an erased person.
 */
export const retention = z
  .strictObject({
    /** Rows of what people did, by when they did it. */
    interactions: days(730),
    /** Totals by the hour; older ones are added up by the hour of the week. What they count stays: they name nobody. */
    hourlyTotals: days(400),
    /** Where people were. */
    places: days(90),
    trainingLog: days(60),
    /** Records of recalibrations. */
    recalibrations: days(365),
    deadLetters: days(60),
    /** Tombstones of erased people. */
    tombstones: days(400),
    /** Keys after they were revoked or ended. */
    keys: days(90),
    /** What imports reported. */
    imports: days(30),
  })
  .refine(
    ({ tombstones, trainingLog, deadLetters }) => tombstones > trainingLog && tombstones > deadLetters,
    {
      message: "tombstones must outlive the training log and dead letters",
    },
  );
export type Retention = z.infer<typeof retention>;

/** What one step removed, by kind. Steps are bounded: what is left over goes with the next. */
export type RemovedCounts = Partial<Record<keyof Retention, number>>;

const daySeconds = 86_400;

/** The moment before which what is kept so many days has had its time. Seconds since the epoch. */
export const expiryTime = (now: number, keptDays: number): number => now - keptDays * daySeconds;
