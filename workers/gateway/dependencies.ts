import type { RequestMeter } from "./metering/request-meter.ts";
import type { RateLimiter } from "./middleware/rate-limit.ts";
import type { MinBodyRate } from "./request/body-chunks.ts";
import type { GatewayServices } from "./services.ts";
import type { GatewaySettings } from "./settings.ts";
import type { GatewayStore } from "./store.ts";

/** Work that goes on after the answer; its failure is logged and reaches nobody. */
export type RunInBackground = (work: Promise<unknown>) => void;

/** All that the application needs from outside. */
export interface Dependencies {
  services: GatewayServices;
  store: GatewayStore;
  settings: GatewaySettings;
  limiter: RateLimiter;
  minBodyRate: MinBodyRate;
  meter: RequestMeter;
  /** Static pages. */
  pages: { fetch(request: Request): Promise<Response> };
  /** Milliseconds since the epoch. */
  now(): number;
  runInBackground: RunInBackground;
}
