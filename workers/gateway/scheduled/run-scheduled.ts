import { ok, type Result } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { copyChangedKeys } from "../keys/copy-keys.ts";
import { LocalState } from "../keys/development-keys.ts";
import { KeyCopies } from "../keys/key-copies.ts";
import { gatewayServices } from "../services.ts";
import { gatewaySettingsOf } from "../settings.ts";
import { GatewayStore } from "../store.ts";
import { compactLogs } from "./compact-logs.ts";
import { enforceRetention } from "./enforce-retention.ts";
import { nightlyCron, nightlyShares } from "./nightly.ts";

const logFailure = (failure: object): void =>
  console.error(JSON.stringify({ event: "scheduled work failed", ...failure }));

/**
 * Runs the work of a cron trigger. Each minute: copies changed keys to KV, sends product changes that no consumer
 * confirmed, resumes interrupted recalibrations, advances the rollouts of candidate models, compacts the training logs,
 * and moves buckets of users between databases. Each night: applies retention, then starts a recalibration of every
 * application's model. `scheduledTime` is when the trigger was due, in milliseconds since the Unix epoch.
 */
export async function runScheduled(cron: string, env: GatewayEnv, scheduledTime: number): Promise<void> {
  const share = { index: new Date(scheduledTime).getUTCMinutes(), of: nightlyShares };
  if (cron === nightlyCron) {
    const { removed, failed } = await enforceRetention(
      gatewayServices(env),
      new GatewayStore(env.DB),
      gatewaySettingsOf(env).retention,
      Date.now() / 1000,
      share,
    );
    console.log(JSON.stringify({ event: "retention applied", removed, failed }));
  }
  const work =
    cron === nightlyCron
      ? [env.TRAINER.recalibrateAll(share)]
      : [
          copyChangedKeys(new GatewayStore(env.DB), new KeyCopies(env.KEYS), Date.now() / 1000).then(ok),
          env.PRODUCT.resendOutbox(),
          resumeRecalibrations(env),
          env.RECOMMENDATION.advanceRollouts(),
          compactLogs(env.TRAINER),
          env.USER.advanceMoves(),
        ];
  // Each task runs on its own: one that fails stops no other.
  for (const result of await Promise.allSettled(work)) {
    if (result.status === "rejected") logFailure({ detail: errorText(result.reason) });
    else if (!result.value.ok) logFailure(result.value.error);
  }
}

/** Resumes recalibrations. A local state is served by one process, so that those of another process were killed. */
async function resumeRecalibrations(env: GatewayEnv): Promise<Result<object>> {
  const { developmentMarker } = gatewaySettingsOf(env);
  const isLocal = await new LocalState(new GatewayStore(env.DB), developmentMarker, Date.now).isConfirmed();
  return env.TRAINER.resumeInterrupted(isLocal);
}
