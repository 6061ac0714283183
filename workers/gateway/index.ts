import { waitUntil } from "cloudflare:workers";
import { createApp } from "./app.ts";
import type { Gateway } from "./context.ts";
import { logFailure } from "./errors/problem-response.ts";
import { AllMeters } from "./metering/all-meters.ts";
import { AnalyticsMeter } from "./metering/analytics-meter.ts";
import { LogMeter } from "./metering/log-meter.ts";
import { defaultBodyRate } from "./request/body-chunks.ts";
import { retain } from "./retention.ts";
import { services } from "./services.ts";
import { settingsOf } from "./settings.ts";
import { Store } from "./store.ts";

/** The cron of wrangler.toml that begins recalibrations. */
const nightlyCron = "0 3 * * *";

/** Built by an isolate's first request; its bindings are the same for all that follow. */
let app: Gateway | null = null;

const build = (env: GatewayEnv): Gateway =>
  createApp({
    services: services(env),
    store: new Store(env.DB),
    settings: settingsOf(env),
    limiter: env.RATE_LIMIT,
    bodyRate: defaultBodyRate,
    meter: new AllMeters(new AnalyticsMeter(env.ANALYTICS), new LogMeter(console.error)),
    pages: env.PAGES,
    now: Date.now,
    later: (work) => waitUntil(work.catch(logFailure)),
  });

export default {
  fetch(request, env, context) {
    app ??= build(env);
    return app.fetch(request, env, context);
  },

  /**
   * Sends product changes that no consumer has confirmed, wakes interrupted recalibrations, brings models further that are
   * on their way into service; by night removes what has outlived its time and begins new recalibrations.
   */
  async scheduled({ cron }, env) {
    if (cron === nightlyCron) {
      const { removed, failed } = await retain(
        services(env),
        new Store(env.DB),
        settingsOf(env).retention,
        Date.now() / 1000,
      );
      console.log(JSON.stringify({ message: "retention", removed, failed }));
    }
    const work =
      cron === nightlyCron
        ? [env.TRAINER.recalibrateAll()]
        : [env.PRODUCT.resendOutbox(), env.TRAINER.wakeInterrupted(), env.RECOMMENDATION.advanceRollouts()];
    for (const each of await Promise.all(work))
      if (!each.ok) console.error(JSON.stringify({ message: "scheduled work failed", ...each.error }));
  },
} satisfies ExportedHandler<GatewayEnv>;
