import { isFiner } from "../../../shared/consent/levels.ts";
import type { Impression } from "../../../shared/contracts/impression.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { countingSettingsOf } from "../../../shared/counting/counting-settings.ts";
import type { SessionCore } from "../session-core.ts";
import { clickWindowOf } from "./click-window.ts";
import { closeClickWindow } from "./close-click-window.ts";
import { HourlyImpressions } from "./hourly-impressions.ts";

/** Maximum number of click windows that one alarm closes. */
const maxWindowsPerAlarm = 20;

/** The recommendations that a user was shown, and their click windows. */
export class Impressions {
  readonly #env: RecommendationEnv;
  readonly #pseudonym: string;
  readonly #core: SessionCore;
  readonly #hourly: HourlyImpressions;
  readonly clickWindowSeconds: number;
  /**
   * Time of the oldest impression whose click window is open, in seconds; null if there is none, undefined until it is
   * read.
   */
  #oldestOpen: number | null | undefined;

  constructor(env: RecommendationEnv, pseudonym: string, core: SessionCore) {
    this.#env = env;
    this.#pseudonym = pseudonym;
    this.#core = core;
    this.#hourly = new HourlyImpressions(core.store);
    this.clickWindowSeconds = clickWindowOf(env);
  }

  /** Drops what is cached, after receipts were added or removed by others. */
  invalidate(): void {
    this.#oldestOpen = undefined;
  }

  /**
   * Stores an impression, unless its place is finer than the user's consent, which was lowered since, or the user has as
   * many in this hour as are stored.
   */
  store(application: string, userId: string, shown: Impression, requester: Requester): void {
    const { isVouched } = requester;
    const { precision, source } = shown.receipt.location;
    if (source !== "none" && isFiner(precision, this.#core.state.profile.precision)) return;
    const now = Date.now() / 1000;
    if (!this.#hourly.isBelowLimit(now, requester, countingSettingsOf(this.#env))) return;
    const time = Date.parse(shown.receipt.time) / 1000;
    this.#core.transaction(application, userId, (state) => {
      this.#core.store.receipts.put({
        id: shown.receipt.recommendationId,
        time,
        receipt: JSON.stringify(shown.receipt),
        rows: JSON.stringify({ featureHash: shown.featureHash, rows: shown.rows, isVouched }),
        features: shown.features,
      });
      state.receiptAdded();
    });
    this.#hourly.added(now);
    if (this.#oldestOpen === null || (this.#oldestOpen ?? 0) > time) this.#oldestOpen = time;
  }

  /** When the next click window closes, seconds since the epoch; null if none is open. */
  get nextWindowClose(): number | null {
    if (this.#oldestOpen === undefined)
      this.#oldestOpen = this.#core.store.hasTables() ? this.#core.store.receipts.oldestOpen() : null;
    return this.#oldestOpen && this.#oldestOpen + this.clickWindowSeconds;
  }

  /** Closes the click windows that are over, a limited number at once. `now` is in seconds since the epoch. */
  closeWindows(now: number): void {
    const owner = this.#core.owner();
    if (!owner || (this.nextWindowClose ?? Number.POSITIVE_INFINITY) > now) return;
    const { store } = this.#core;
    for (const receipt of store.receipts.toClose(now - this.clickWindowSeconds, maxWindowsPerAlarm)) {
      this.#oldestOpen = undefined;
      this.#core.transaction(owner.application, owner.userId, (state) =>
        closeClickWindow(store, state, receipt, {
          now,
          pseudonym: this.#pseudonym,
          settings: countingSettingsOf(this.#env),
        }),
      );
    }
  }
}
