import { z } from "zod";
import { driftOf, type References } from "../../../model/drift/day.ts";
import { featureShape } from "../../../model/features/compute.ts";
import type { LoggedExample } from "../../../model/recalibrate/logged-examples.ts";
import { type DriftDay, driftDay } from "../../../shared/contracts/model.ts";
import { applicationsIn } from "../../../shared/retention/expired.ts";
import { newestExamples } from "../gate/newest.ts";
import { RegistryStore } from "../store.ts";
import { deployedManifest } from "./deployed-model.ts";

/** Of a day's log, what is looked at: a second or two of one core. */
const objects = 64;
const examples = 4000;
/** A day that goes on is looked at each hour, once more an hour after its end. */
const hour = 3600;
const day = 86_400;
/** A first day of fewer examples says too little to hold others against. */
const minReference = 100;
const maxDays = 30;
/** Days that are kept, beside the first of each version. */
const keptDays = 90;
/** Under this name, which no version has, a day says when it was looked at. */
const looked = "~";

const reference = z.object({ edges: z.array(z.number()), shares: z.array(z.number()) });
const kept = z.object({
  figures: driftDay.omit({ day: true }),
  /** On the first day only. */
  references: z.record(z.string(), reference).nullable(),
  /** What the references belong to. */
  featureHash: z.string(),
});

const dayOf = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);

/** The days of a version, newest first. */
export async function driftDays(
  store: RegistryStore,
  application: string,
  version: string,
): Promise<DriftDay[]> {
  const rows = await store.drift(application, version, maxDays);
  return rows.flatMap((row) => {
    const parsed = kept.safeParse(row.figures);
    return parsed.success ? [{ day: row.day, ...parsed.data.figures }] : [];
  });
}

/** Looks at a day of an application's log and notes what it says of each version. May be repeated. */
export async function lookAt(
  env: Pick<RecommendationEnv, "DB" | "TRAINING_LOG" | "USER">,
  application: string,
  at: number,
  now: number,
): Promise<void> {
  const store = new RegistryStore(env.DB);
  const name = dayOf(at);
  const log = await newestExamples(
    env,
    application,
    featureShape,
    { days: 1, objects, examples, spread: true },
    at,
  );
  const versions = new Map<string, LoggedExample[]>();
  for (const example of log.examples) {
    const list = versions.get(example.modelVersion) ?? [];
    versions.set(example.modelVersion, list);
    list.push(example);
  }
  for (const [version, list] of versions) {
    // What stood in for a model is no version.
    const known = version === deployedManifest.version || (await store.get(application, version)) !== null;
    if (!known) continue;
    const first = await store.firstDrift(application, version);
    const held = first && first.day < name ? kept.safeParse(first.figures).data : undefined;
    const references: References | null =
      held?.featureHash === featureShape.hash && held.references ? held.references : null;
    if (references === null && list.length < minReference) continue;
    const found = driftOf(featureShape, list, log.corrections, references);
    if (found === null) continue;
    await store.putDrift({
      application,
      version,
      day: name,
      figures: {
        figures: found.figures,
        references: references === null ? found.references : null,
        featureHash: featureShape.hash,
      },
      updatedAt: now,
    });
  }
  await store.putDrift({ application, version: looked, day: name, figures: {}, updatedAt: now });
  await store.forgetDrift(application, looked, dayOf(now - keptDays * day));
}

/** Looks at one day that is due of one application, if there is any: what the cron does each minute. */
export async function lookAtDue(
  env: Pick<RecommendationEnv, "DB" | "TRAINING_LOG" | "USER">,
  now: number,
): Promise<string | null> {
  const store = new RegistryStore(env.DB);
  // Those that have no model of their own are served too: by what is deployed with the code.
  const logged = (await applicationsIn(env.TRAINING_LOG)).filter((name) => /^[a-z0-9-]+$/.test(name));
  for (const application of new Set([...(await store.applications()), ...logged]))
    for (const at of [now, now - day]) {
      const last = await store.driftAt(application, looked, dayOf(at));
      const end = (Math.floor(at / day) + 1) * day + hour;
      const due = at === now ? (last ?? 0) <= now - hour : now >= end && (last ?? 0) < end;
      if (!due) continue;
      await lookAt(env, application, at, now);
      return application;
    }
  return null;
}
