import type { limitsOfLowering } from "../../../shared/consent/consent-limits.ts";
import { isFiner } from "../../../shared/consent/levels.ts";
import type { Coarsening } from "../../../shared/contracts/coarsening.ts";
import type { Precision } from "../../../shared/contracts/primitives.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { coarsenEach } from "../../../shared/geo/coarsen-point.ts";
import { logPseudonymOf } from "../../../shared/pseudonyms/hashed-names.ts";
import { pseudonymKeysOf } from "../../../shared/pseudonyms/pseudonym-keys.ts";
import { sealObjectId } from "../../../shared/pseudonyms/sealed-object-id.ts";
import type { UserSettings } from "../../../shared/services/user-api.ts";
import type { SessionState } from "../session-state.ts";
import type { SessionStore } from "../store/session-store.ts";
import { applyConsent, type CoarsePlaces } from "./apply-consent.ts";
import { coarsenJournalPage, replaceRow } from "./coarsen-journal.ts";
import { Coarsenings } from "./coarsenings.ts";
import { removeFinerReceipts } from "./remove-finer-receipts.ts";

/** The methods of the user's object that the keeper of its consent calls. */
export interface ConsentOwner {
  pseudonym: string;
  defaultConsent: Precision;
  store: SessionStore;
  state(): SessionState;
  isReceivingRows(): boolean;
  mergedPseudonyms(): string[];
  /** Runs a change of tables and state in one transaction. */
  transaction<T>(application: string, userId: string, change: (state: SessionState) => T): T;
  /** Must be called after receipts were removed. */
  receiptsRemoved(): void;
}

/** Keeps what a user's object stores within the user's consent, and coarsens it everywhere when the consent is lowered. */
export class ConsentKeeper {
  readonly #sql: SqlStorage;
  readonly #env: UserSessionEnv;
  readonly #owner: ConsentOwner;
  readonly coarsenings: Coarsenings;

  constructor(sql: SqlStorage, env: UserSessionEnv, owner: ConsentOwner) {
    this.#sql = sql;
    this.#env = env;
    this.#owner = owner;
    this.coarsenings = new Coarsenings(sql, env, {
      pseudonym: owner.pseudonym,
      logPseudonym: async (pseudonym) => logPseudonymOf(await pseudonymKeysOf(env), pseudonym),
      isReceivingRows: owner.isReceivingRows,
      mergedPseudonyms: owner.mergedPseudonyms,
      coarsenJournal: (limits, after, limit) => this.#coarsenJournal(limits, after, limit),
      setSettings: (application, userId, settings) => this.setSettings(application, userId, settings),
    });
  }

  /**
   * Sets the settings of the profile, unless a newer version is stored. Returns the coarsening that a lowered consent
   * begins; it is durable with the settings. Returns null if nothing has to be coarsened.
   */
  async setSettings(application: string, userId: string, settings: UserSettings): Promise<Coarsening | null> {
    const precision = settings.precision ?? this.#owner.defaultConsent;
    const coarse = { location: await this.#coarseLocation(precision), home: settings.home };
    const id = await this.#newId(application);
    return this.#owner.transaction(application, userId, (state) => {
      const { profile } = state;
      if (settings.version < profile.settingsVersion) return null;
      profile.settingsVersion = settings.version;
      profile.statedPrecision = settings.precision;
      const begun = this.#apply(state, precision, coarse, { id, application, userId }, settings.version);
      profile.home = settings.home;
      state.profileChanged();
      state.saveSnapshot(true);
      return begun;
    });
  }

  /** Reads the settings of the profile again, which may have changed while the user was being erased. */
  async refreshSettings(application: string, userId: string): Promise<void> {
    const before = this.#owner.state().profile.settingsVersion;
    const stored = unwrap(await this.#env.USER.getSettings(application, userId), "the user service");
    const settings = stored ?? { home: null, precision: null, version: 0 };
    // A call to setUserSettings meanwhile has stored newer settings.
    if (settings.version === before || this.#owner.state().profile.settingsVersion !== before) return;
    this.#owner.transaction(application, userId, (state) => {
      state.profile.settingsVersion = 0;
      state.profileChanged();
    });
    await this.setSettings(application, userId, settings);
  }

  /**
   * Begins to coarsen what is stored if the default consent has become coarser since, and the user stated none. Call this
   * before anything is stored.
   */
  async followDefault(application: string, userId: string): Promise<void> {
    const { profile } = this.#owner.state();
    const { precision } = profile;
    if (!isFiner(profile.finestStored, precision)) return;
    const home = profile.home && (await coarsenEach(this.#env.LOCATION)(profile.home, precision));
    const coarse = { location: await this.#coarseLocation(precision), home };
    const id = await this.#newId(application);
    this.#owner.transaction(application, userId, (state) => {
      // What was collected under these settings is coarsened too, so the limit is the next version.
      const version = state.profile.settingsVersion + 1;
      this.#apply(state, precision, coarse, { id, application, userId }, version);
      state.profileChanged();
      state.saveSnapshot(true);
    });
  }

  /** Removes receipts of a merged user that are finer than this user's consent, within a transaction. */
  removeFinerReceipts(state: SessionState): void {
    removeFinerReceipts(this.#sql, state.profile.precision);
  }

  /** Applies a consent within a transaction. Returns the coarsening that it begins, or null. */
  #apply(
    state: SessionState,
    precision: Precision,
    coarse: CoarsePlaces,
    begun: { id: string; application: string; userId: string },
    version: number,
  ): Coarsening | null {
    if (!applyConsent(state.profile, precision, coarse)) return null;
    const receipts = removeFinerReceipts(this.#sql, precision);
    // Each holds a profile, whose places may be finer.
    this.#owner.store.inputs.clear();
    if (receipts > 0) this.#owner.receiptsRemoved();
    const { id, application, userId } = begun;
    const now = Date.now() / 1000;
    this.coarsenings.begin(id, { application, userId, precision, version, now, receipts });
    return this.coarsenings.find(application, id);
  }

  /** Returns the last location at a precision; null without one, at `none`, and if it cannot be coarsened now. */
  async #coarseLocation(precision: Precision): Promise<CoarsePlaces["location"]> {
    const { location } = this.#owner.state().profile;
    if (location === null) return null;
    try {
      return await coarsenEach(this.#env.LOCATION)(location, precision);
    } catch (error) {
      console.error({ event: "gazetteer unreachable", error: errorText(error) });
      return null;
    }
  }

  async #newId(application: string): Promise<string> {
    const keys = await pseudonymKeysOf(this.#env);
    return sealObjectId(keys, { application, kind: "coarsening" }, this.#owner.pseudonym);
  }

  async #coarsenJournal(
    limits: ReturnType<typeof limitsOfLowering>,
    after: string,
    limit: number,
  ): Promise<{ changed: number; next: string | null }> {
    const { store } = this.#owner;
    const { changed, next } = await coarsenJournalPage(store, this.#env.LOCATION, limits, after, limit);
    const [application, userId] = [store.getMeta("application"), store.getMeta("userId")];
    if (changed.length === 0 || application === null || userId === null) return { changed: 0, next };
    this.#owner.transaction(application, userId, (state) => {
      for (const row of changed) replaceRow(this.#sql, row);
      state.closeRows(changed.filter(({ body }) => body === null).map(({ seq }) => seq));
    });
    return { changed: changed.length, next };
  }
}
