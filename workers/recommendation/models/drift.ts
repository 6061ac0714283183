import * as z from "zod";
import { dailyDrift, type ReferenceDistributions } from "../../../model/drift/daily-drift.ts";
import { featureShape } from "../../../model/features/compute-features.ts";
import type { LoggedExample } from "../../../model/recalibrate/logged-examples.ts";
import { eachApplication } from "../../../shared/async/each-application.ts";
import { type DriftDay, driftDay } from "../../../shared/contracts/model.ts";
import { applicationsIn } from "../../../shared/retention/remove-expired.ts";
import { daySeconds, hourSeconds } from "../../../shared/time/seconds.ts";
import { driftReadLimits, readNewestExamples } from "../gate/newest-examples.ts";
import { RegistryStore } from "../store.ts";
import { bundledModelManifest } from "./bundled-model.ts";

/** The current day's drift is computed once in this time. A day's final drift is computed this long after its end. */
/** Examples that a version's first day needs to be the reference for later days. */
const minReferenceExamples = 100;
/** Days that {@link driftByDay} returns. */
const maxDays = 30;
/** Days that are stored, in addition to the first day of each version. */
const retentionDays = 90;
/** Version name of rows that store when a day was computed. No model has this version. */
const dayMarker = "~";

const reference = z.object({ edges: z.array(z.number()), shares: z.array(z.number()) });
const storedFigures = z.object({
  figures: driftDay.omit({ day: true }),
  /** Reference distributions; stored on the first day only. */
  references: z.record(z.string(), reference).nullable(),
  /** Hash of the feature layout that the references belong to. */
  featureHash: z.string(),
});

const dayOf = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);

/** Returns the drift of a version by day, newest first. */
export async function driftByDay(
  store: RegistryStore,
  application: string,
  version: string,
): Promise<DriftDay[]> {
  const rows = await store.drift(application, version, maxDays);
  return rows.flatMap((row) => {
    const parsed = storedFigures.safeParse(row.figures);
    return parsed.success ? [{ day: row.day, ...parsed.data.figures }] : [];
  });
}

/**
 * Computes the drift of each version from one UTC day of an application's training log and stores it. Idempotent.
 * `at` is a time within the day; both times are in seconds since the Unix epoch.
 */
export async function recordDrift(
  env: Pick<RecommendationEnv, "DB" | "TRAINING_LOG" | "USER">,
  application: string,
  at: number,
  now: number,
): Promise<void> {
  const store = new RegistryStore(env.DB);
  const day = dayOf(at);
  const log = await readNewestExamples(env, application, featureShape, driftReadLimits, at);
  const versions = new Map<string, LoggedExample[]>();
  for (const example of log.examples) {
    const list = versions.get(example.modelVersion) ?? [];
    versions.set(example.modelVersion, list);
    list.push(example);
  }
  for (const [version, list] of versions) {
    // Examples that a fallback ranker served belong to no version.
    const isVersion =
      version === bundledModelManifest.version || (await store.version(application, version)) !== null;
    if (!isVersion) continue;
    const first = await store.firstDriftDay(application, version);
    const firstFigures = first && first.day < day ? storedFigures.safeParse(first.figures).data : undefined;
    const references: ReferenceDistributions | null =
      firstFigures?.featureHash === featureShape.hash && firstFigures.references
        ? firstFigures.references
        : null;
    if (references === null && list.length < minReferenceExamples) continue;
    const drift = dailyDrift(featureShape, list, log.corrections, references);
    if (drift === null) continue;
    await store.putDrift({
      application,
      version,
      day,
      figures: {
        figures: drift.figures,
        references: references === null ? drift.references : null,
        featureHash: featureShape.hash,
      },
      updatedAt: now,
    });
  }
  await store.putDrift({ application, version: dayMarker, day, figures: {}, updatedAt: now });
  await store.removeDriftBefore(application, dayMarker, dayOf(now - retentionDays * daySeconds));
}

/** Returns a time in the day whose drift of an application is due, in seconds since the Unix epoch; null if none is. */
async function dueDay(store: RegistryStore, application: string, now: number): Promise<number | null> {
  for (const at of [now, now - daySeconds]) {
    const last = await store.driftUpdatedAt(application, dayMarker, dayOf(at));
    const end = (Math.floor(at / daySeconds) + 1) * daySeconds + hourSeconds;
    const due = at === now ? (last ?? 0) <= now - hourSeconds : now >= end && (last ?? 0) < end;
    if (due) return at;
  }
  return null;
}

/**
 * Computes one due day of drift, if any is due; the cron calls this each minute. An application whose drift cannot be
 * computed is logged and does not keep others waiting. Returns the application whose drift was computed, or null. `now`
 * is in seconds since the Unix epoch.
 */
export async function recordDueDrift(
  env: Pick<RecommendationEnv, "DB" | "TRAINING_LOG" | "USER">,
  now: number,
): Promise<string | null> {
  const store = new RegistryStore(env.DB);
  // Applications without a registered model have drift too: the bundled model serves them.
  const logged = (await applicationsIn(env.TRAINING_LOG)).filter((name) => /^[a-z0-9-]+$/.test(name));
  let computed: string | null = null;
  const applications = new Set([...(await store.applications()), ...logged]);
  await eachApplication(applications, "drift not computed", async (application) => {
    if (computed !== null) return;
    const at = await dueDay(store, application, now);
    if (at === null) return;
    await recordDrift(env, application, at, now);
    computed = application;
  });
  return computed;
}
