import { waitUntil } from "cloudflare:workers";
import { AllMeters } from "../shared/observability/all-meters.ts";
import { AnalyticsMeter } from "../shared/observability/analytics-meter.ts";
import { LogMeter } from "../shared/observability/log-meter.ts";
import { createApp } from "./app.ts";
import { usualPace } from "./arriving.ts";
import type { Gateway } from "./context.ts";
import { logFailure } from "./problems.ts";
import { services } from "./services.ts";
import { settingsOf } from "./settings.ts";
import { Store } from "./store.ts";

/** Built by an isolate's first request; its bindings are the same for all that follow. */
let app: Gateway | null = null;

const build = (env: GatewayEnv): Gateway =>
  createApp({
    services: services(env),
    store: new Store(env.DB),
    settings: settingsOf(env),
    limiter: env.RATE_LIMIT,
    pace: usualPace,
    meter: new AllMeters(new AnalyticsMeter(env.ANALYTICS), new LogMeter(console.error)),
    pages: env.ASSETS,
    now: Date.now,
    later: (work) => waitUntil(work.catch(logFailure)),
  });

export default {
  fetch(request, env, context) {
    app ??= build(env);
    return app.fetch(request, env, context);
  },

  /** Sends product changes that no consumer has confirmed. */
  async scheduled(_controller, env) {
    const settled = await env.PRODUCT.settle();
    if (!settled.ok) console.error(JSON.stringify({ message: "settle failed", ...settled.error }));
  },
} satisfies ExportedHandler<GatewayEnv>;
