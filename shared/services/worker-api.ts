import type { ApplicationsShare } from "../contracts/applications-share.ts";
import type { Result } from "../contracts/result.ts";
import type { RemovedCounts, Retention } from "../contracts/retention.ts";

/** Whether a worker can serve requests. `detail` says in one line what is missing. */
export interface Readiness {
  ready: boolean;
  detail: string;
}

/** Implemented by every worker but the gateway, whose `/readyz` and `/v1/readiness` call it. */
export interface ReadinessApi {
  /** Returns whether the worker can serve; with an application, also whether its own writes are worked off. */
  ready(application: string | null): Promise<Readiness>;
}

/** Implemented by workers whose data expires. */
export interface RetentionApi {
  /**
   * Removes expired data: one bounded step for each kind. Returns the number of removed rows or objects by kind.
   * The gateway's cron calls it until a step removes nothing. What is stored by application is removed of the applications
   * of `share` only.
   */
  applyRetention(retention: Retention, share: ApplicationsShare): Promise<Result<RemovedCounts>>;
}
