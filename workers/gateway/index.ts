import { waitUntil } from "cloudflare:workers";
import { createApp } from "./app.ts";
import type { Gateway } from "./context.ts";
import { logUnexpectedError } from "./errors/problem-response.ts";
import { KeyCopies } from "./keys/key-copies.ts";
import { AnalyticsMeter } from "./metering/analytics-meter.ts";
import { CombinedMeter } from "./metering/combined-meter.ts";
import { LogMeter } from "./metering/log-meter.ts";
import { defaultMinBodyRate } from "./request/body-chunks.ts";
import { runScheduled } from "./scheduled/run-scheduled.ts";
import { gatewayServices } from "./services.ts";
import { gatewaySettingsOf } from "./settings.ts";
import { GatewayStore } from "./store.ts";

/** The application. An isolate's first request builds it; later requests share it, because bindings do not change. */
let app: Gateway | null = null;

const buildApp = (env: GatewayEnv): Gateway =>
  createApp({
    services: gatewayServices(env),
    store: new GatewayStore(env.DB),
    copies: new KeyCopies(env.KEYS),
    settings: gatewaySettingsOf(env),
    limiter: env.RATE_LIMIT,
    applicationLimiter: env.APPLICATION_RATE_LIMIT,
    addressLimiter: env.ADDRESS_RATE_LIMIT,
    failureLimiter: env.FAILURE_RATE_LIMIT,
    sessionLimiters: { address: env.SESSION_RATE_LIMIT, network: env.NETWORK_SESSION_RATE_LIMIT },
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

  async scheduled({ cron, scheduledTime }, env) {
    await runScheduled(cron, env, scheduledTime);
  },
} satisfies ExportedHandler<GatewayEnv>;
