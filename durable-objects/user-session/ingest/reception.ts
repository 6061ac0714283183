import { arrivedThisHour, withArrival } from "../../../model/profile/activity.ts";
import type { ReceivedInteraction } from "../../../shared/contracts/event.ts";
import type { Point, Precision } from "../../../shared/contracts/primitives.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { ok, type Result, refuse } from "../../../shared/contracts/result.ts";
import { countingSettingsOf } from "../../../shared/counting/counting-settings.ts";
import { hourlyLimitText, secondsToNextHour } from "../../../shared/counting/hourly-limit.ts";
import { resendSeconds } from "../outbox.ts";
import type { SessionCore } from "../session-core.ts";
import { applyVisitToProfile } from "../session-state.ts";
import type { Counting } from "./count-for-others.ts";
import { type IngestResult, ingestEvent } from "./ingest-event.ts";

/** Maximum number of open rows, which are not confirmed. New events are refused while there are more. */
const maxOpenRows = 5000;

/** Where a user was, as the caller has coarsened it. */
export type ReceivedVisit = Point & { time: number; precision: Precision };

/**
 * What came of locations that the caller reduced to the consent which it supposed. If the user's consent is another one,
 * nothing is recorded, and `consent` says it: the caller reduces the locations to it and calls again.
 */
export type Reduced<T> = { consent: null; recorded: T } | { consent: Precision; recorded: null };

/** Receives the events and locations of a user. */
export class Reception {
  readonly #env: UserSessionEnv;
  readonly #pseudonym: string;
  readonly #core: SessionCore;
  readonly #clickWindowSeconds: number;
  /** Applies the default consent, which may have changed, before anything is stored. */
  readonly #followDefault: (application: string, userId: string) => Promise<void>;

  constructor(
    env: UserSessionEnv,
    pseudonym: string,
    core: SessionCore,
    clickWindowSeconds: number,
    followDefault: (application: string, userId: string) => Promise<void>,
  ) {
    this.#env = env;
    this.#pseudonym = pseudonym;
    this.#core = core;
    this.#clickWindowSeconds = clickWindowSeconds;
    this.#followDefault = followDefault;
  }

  /** Returns by which rules the events of a requester count for others. */
  #countingOf(requester: Requester): Counting {
    return { requester, pseudonym: this.#pseudonym, settings: countingSettingsOf(this.#env) };
  }

  /**
   * Ingests events in one transaction. Records nothing if a location does not have the precision of the user's consent,
   * which is returned instead. Refuses all events in an overload.
   */
  async ingest(
    application: string,
    userId: string,
    events: readonly ReceivedInteraction[],
    requester: Requester,
    callerDelivers: boolean,
  ): Promise<Result<Reduced<IngestResult[]>>> {
    await this.#followDefault(application, userId);
    const { profile } = this.#core.state;
    if (events.some(({ location, precision }) => location && precision !== profile.precision))
      return ok({ consent: profile.precision, recorded: null });
    const now = Date.now() / 1000;
    if (!callerDelivers && this.#core.state.openRows.size > maxOpenRows) return outboxFull;
    const counting = this.#countingOf(requester);
    const context = { now, callerDelivers, clickWindowSeconds: this.#clickWindowSeconds, counting };
    return ok({
      consent: null,
      recorded: this.#core.transaction(application, userId, (state) => {
        const list = events.map((event) => ingestEvent(this.#core.store, state, event, context));
        state.saveSnapshot(callerDelivers);
        return list;
      }),
    });
  }

  /**
   * Sets the current location. Returns whether it is believed. Stores nothing if it does not have the precision of the
   * user's consent, which is returned instead.
   */
  async setLocation(
    application: string,
    userId: string,
    visit: ReceivedVisit,
    requester: Requester,
  ): Promise<Result<Reduced<boolean>>> {
    if (this.#core.state.openRows.size > maxOpenRows) return outboxFull;
    await this.#followDefault(application, userId);
    const { precision } = this.#core.state.profile;
    if (visit.precision !== precision) return ok({ consent: precision, recorded: null });
    const now = Date.now() / 1000;
    const { locations } = arrivedThisHour(this.#core.state.profile.activity, now);
    if (requester.tokenIssuedAt !== null && locations >= countingSettingsOf(this.#env).hourlyLocations)
      return refuse("rate_limited", hourlyLimitText("locations"), { retryAfter: secondsToNextHour(now) });
    return ok({
      consent: null,
      recorded: this.#core.transaction(application, userId, (state) => {
        const believed = applyVisitToProfile(state.profile, visit);
        state.profile.activity = withArrival(state.profile.activity, "locations", now);
        state.profileChanged();
        const row = { ...visit, version: state.profile.settingsVersion };
        if (believed) state.addRow("locations", `location:${crypto.randomUUID()}`, now, row, now);
        // No row of the journal contains a location that is not believed, so only the snapshot does.
        state.saveSnapshot(!believed);
        return believed;
      }),
    });
  }
}

/** The refusal of new rows while too many are open. Accepted rows are never dropped. */
const outboxFull = refuse(
  "rate_limited",
  "Too many events and locations of this user are not delivered yet. Send the request again later.",
  { retryAfter: resendSeconds },
);
