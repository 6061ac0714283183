import type { KeyCopies } from "./keys/key-copies.ts";
import type { RequestMeter } from "./metering/request-meter.ts";
import type { SessionLimiters } from "./middleware/limit-address.ts";
import type { RateLimiter } from "./middleware/rate-limit.ts";
import type { MinBodyRate } from "./request/body-chunks.ts";
import type { GatewayServices } from "./services.ts";
import type { GatewaySettings } from "./settings.ts";
import type { GatewayStore } from "./store.ts";

/** Runs work after the response is sent. A failure is logged and never changes the response. */
export type RunInBackground = (work: Promise<unknown>) => void;

/** Everything that {@link createApp} needs: other workers, the database, bindings, settings and the clock. */
export interface Dependencies {
  services: GatewayServices;
  store: GatewayStore;
  /** Copies of the keys in KV. */
  copies: KeyCopies;
  settings: GatewaySettings;
  /** Counts the requests of a key or user. */
  limiter: RateLimiter;
  /** Counts the requests of an application: of its secret keys, and of everybody else. */
  applicationLimiter: RateLimiter;
  /** Counts the requests of a client address. */
  addressLimiter: RateLimiter;
  /** Counts the unknown keys of a client address. */
  failureLimiter: RateLimiter;
  /** Count the anonymous sessions that a client address and a client network start. */
  sessionLimiters: SessionLimiters;
  minBodyRate: MinBodyRate;
  meter: RequestMeter;
  /** The worker `pages`, which serves the static pages. */
  pages: { fetch(request: Request): Promise<Response> };
  /** Milliseconds since the Unix epoch. */
  now(): number;
  runInBackground: RunInBackground;
}
