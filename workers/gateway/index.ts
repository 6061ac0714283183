import { waitUntil } from "cloudflare:workers";
import { createApp } from "./app.ts";
import type { Gateway } from "./context.ts";
import { logUnexpectedError } from "./errors/problem-response.ts";
import { AnalyticsMeter } from "./metering/analytics-meter.ts";
import { CombinedMeter } from "./metering/combined-meter.ts";
import { LogMeter } from "./metering/log-meter.ts";
import { defaultMinBodyRate } from "./request/body-chunks.ts";
import { applyRetention } from "./scheduled/apply-retention.ts";
import { gatewayServices } from "./services.ts";
import { gatewaySettingsOf } from "./settings.ts";
import { GatewayStore } from "./store.ts";

/** The cron of wrangler.toml that begins recalibrations. */
const nightlyCron = "0 3 * * *";

/** Built by an isolate's first request; its bindings are the same for all that follow. */
let app: Gateway | null = null;

const buildApp = (env: GatewayEnv): Gateway =>
  createApp({
    services: gatewayServices(env),
    store: new GatewayStore(env.DB),
    settings: gatewaySettingsOf(env),
    limiter: env.RATE_LIMIT,
    minBodyRate: defaultMinBodyRate,
    meter: new CombinedMeter(new AnalyticsMeter(env.ANALYTICS), new LogMeter(console.error)),
    pages: env.PAGES,
    now: Date.now,
    runInBackground: (work) => waitUntil(work.catch(logUnexpectedError)),
  });

export default {
  fetch(request, env, context) {
    app ??= buildApp(env);
    return app.fetch(request, env, context);
  },

  /**
   * Sends product changes that no consumer has confirmed, wakes interrupted recalibrations, brings models further that are
   * on their way into service; by night removes what has outlived its time and begins new recalibrations.
   */
  async scheduled({ cron }, env) {
    if (cron === nightlyCron) {
      const { removed, failed } = await applyRetention(
        gatewayServices(env),
        new GatewayStore(env.DB),
        gatewaySettingsOf(env).retention,
        Date.now() / 1000,
      );
      console.log(JSON.stringify({ message: "retention", removed, failed }));
    }
    const work =
      cron === nightlyCron
        ? [env.TRAINER.recalibrateAll()]
        : [env.PRODUCT.resendOutbox(), env.TRAINER.resumeInterrupted(), env.RECOMMENDATION.advanceRollouts()];
    for (const each of await Promise.all(work))
      if (!each.ok) console.error(JSON.stringify({ message: "scheduled work failed", ...each.error }));
  },
} satisfies ExportedHandler<GatewayEnv>;
