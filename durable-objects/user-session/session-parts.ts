import { defaultConsentOf } from "../../shared/consent/default-consent.ts";
import type { Requester } from "../../shared/contracts/requester.ts";
import { logPseudonymOf } from "../../shared/pseudonyms/hashed-names.ts";
import { pseudonymKeysOf } from "../../shared/pseudonyms/pseudonym-keys.ts";
import { ConsentKeeper } from "./consent/consent-keeper.ts";
import { refuseEndedToken } from "./ended-token.ts";
import { Erasures } from "./erasures.ts";
import { Impressions } from "./impressions/impressions.ts";
import { Reception } from "./ingest/reception.ts";
import { Jobs } from "./jobs.ts";
import { Listeners } from "./listeners.ts";
import { UserMerges } from "./merges/user-merges.ts";
import { SessionCore } from "./session-core.ts";

/** The parts of a user's object, and what they need of each other. */
export class SessionParts {
  readonly core: SessionCore;
  readonly jobs: Jobs;
  readonly erasures: Erasures;
  readonly merges: UserMerges;
  readonly impressions: Impressions;
  readonly reception: Reception;
  readonly consent: ConsentKeeper;
  readonly listeners: Listeners;
  readonly #env: UserSessionEnv;

  constructor(ctx: DurableObjectState, env: UserSessionEnv) {
    const pseudonym = ctx.id.toString();
    const { storage } = ctx;
    this.#env = env;
    this.core = new SessionCore(storage, defaultConsentOf(env), () => {
      this.merges.outgoing.invalidate();
      this.impressions.invalidate();
    });
    this.impressions = new Impressions(env, pseudonym, this.core);
    this.listeners = new Listeners(ctx);
    this.erasures = new Erasures(storage, env, {
      pseudonym,
      logPseudonym: async () => logPseudonymOf(await pseudonymKeysOf(env), pseudonym),
      startNextGeneration: (generation) => this.#startNextGeneration(generation),
      refreshSettings: (application, userId) => this.consent.refreshSettings(application, userId),
      mergedUsers: () => this.merges.incoming.sources(),
      eraseMergedUser: (user, { application, id }) =>
        this.session(user.pseudonym).eraseMerged(application, user, id),
    });
    this.merges = new UserMerges(storage, env, {
      ...{ pseudonym, core: this.core },
      erasures: () => this.erasures,
      session: (other) => this.session(other),
      endedToken: (requester) => this.endedToken(requester),
      isCoarsening: () => this.consent.coarsenings.isRunning(),
      startNextGeneration: (generation) => this.#startNextGeneration(generation),
      removeFinerReceipts: (state) => this.consent.removeFinerReceipts(state),
    });
    this.consent = new ConsentKeeper(storage.sql, env, {
      pseudonym,
      defaultConsent: defaultConsentOf(env),
      store: this.core.store,
      state: () => this.core.state,
      isReceivingRows: () => this.merges.incoming.hasUnfinished(),
      mergedPseudonyms: () => this.merges.incoming.sources().map((source) => source.pseudonym),
      transaction: (application, userId, change) => this.core.transaction(application, userId, change),
      receiptsRemoved: () => this.impressions.invalidate(),
    });
    this.reception = new Reception(
      env,
      pseudonym,
      this.core,
      this.impressions.clickWindowSeconds,
      (application, userId) => this.consent.followDefault(application, userId),
    );
    this.jobs = new Jobs(storage, env, {
      ...{ pseudonym, core: this.core, merges: this.merges, erasures: this.erasures },
      coarsenings: this.consent.coarsenings,
      ...{ impressions: this.impressions, listeners: this.listeners },
    });
  }

  /** Returns the stub of another user's object. */
  session(pseudonym: string) {
    return this.#env.USER_SESSION.get(this.#env.USER_SESSION.idFromString(pseudonym));
  }

  /**
   * Returns the refusal of a requester whose token ended with an erasure or a merge of the user; null for other
   * requesters.
   */
  endedToken(requester: Requester) {
    const { frozen } = this.merges.outgoing;
    const erasedAt = this.core.generationStart;
    return refuseEndedToken(requester, frozen ? Math.max(frozen.requested, erasedAt ?? 0) : erasedAt);
  }

  /** Deletes everything about the user and starts the next generation, within the transaction of the erasure. */
  #startNextGeneration(erased: number): { rows: number; receipts: number } {
    this.listeners.closeAll("erased");
    this.consent.coarsenings.stop();
    const deleted = this.core.store.startNextGeneration(erased + 1, Date.now() / 1000);
    this.merges.incoming.clear();
    this.merges.outgoing.release();
    this.core.invalidate();
    return deleted;
  }
}
