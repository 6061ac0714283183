import type { RequestMeter } from "./metering/request-meter.ts";
import type { RateLimiter } from "./middleware/rate-limit.ts";
import type { BodyRate } from "./request/body-chunks.ts";
import type { Services } from "./services.ts";
import type { Settings } from "./settings.ts";
import type { Store } from "./store.ts";

/** Work that goes on after the answer; its failure is logged and reaches nobody. */
export type Later = (work: Promise<unknown>) => void;

/** All that the application needs from outside. */
export interface Ports {
  services: Services;
  store: Store;
  settings: Settings;
  limiter: RateLimiter;
  bodyRate: BodyRate;
  meter: RequestMeter;
  /** Static pages. */
  pages: { fetch(request: Request): Promise<Response> };
  /** Milliseconds since the epoch. */
  now(): number;
  later: Later;
}
