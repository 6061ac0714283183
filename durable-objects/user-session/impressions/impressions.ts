import { isFiner } from "../../../shared/consent/levels.ts";
import type { Impression } from "../../../shared/contracts/impression.ts";
import type { Requester } from "../../../shared/contracts/requester.ts";
import { countingSettingsOf } from "../../../shared/counting/counting-settings.ts";
import type { SessionCore } from "../session-core.ts";
import { clickWindowOf } from "./click-window.ts";
import { closeClickWindow } from "./close-click-window.ts";
import { HourlyImpressions } from "./hourly-impressions.ts";
import { OpenWindows } from "./open-windows.ts";

/** Maximum number of click windows that one alarm closes. */
const maxWindowsPerAlarm = 20;

/** The recommendations that a user was shown, and their click windows. */
export class Impressions {
  readonly #env: RecommendationEnv;
  readonly #pseudonym: string;
  readonly #core: SessionCore;
  readonly #open: OpenWindows;
  readonly #hourly: HourlyImpressions;
  readonly clickWindowSeconds: number;

  constructor(env: RecommendationEnv, pseudonym: string, core: SessionCore) {
    this.#env = env;
    this.#pseudonym = pseudonym;
    this.#core = core;
    this.#open = new OpenWindows(core.store.receipts);
    this.#hourly = new HourlyImpressions(core.store, this.#open);
    this.clickWindowSeconds = clickWindowOf(env);
  }

  /** Drops what is cached, after receipts were added or removed by others. */
  invalidate(): void {
    this.#open.invalidate();
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
    const id = shown.receipt.recommendationId;
    const inHour = this.#hourly.storedAt(now) + 1;
    const isStored = this.#core.transaction(application, userId, (state) => {
      state.receiptAdded();
      const rows = JSON.stringify({ featureHash: shown.featureHash, rows: shown.rows, isVouched });
      const receipt = { id, time, receipt: JSON.stringify(shown.receipt), rows, features: shown.features };
      return this.#core.store.receipts.put(receipt, inHour);
    });
    if (!isStored) return;
    this.#hourly.added(now);
    this.#open.add({ id, time, inHour });
  }

  /** When the next click window closes, seconds since the epoch; null if none is open. */
  get nextWindowClose(): number | null {
    const { oldest } = this.#open;
    return oldest && oldest + this.clickWindowSeconds;
  }

  /** Closes the click windows that are over, a limited number at once. `now` is in seconds since the epoch. */
  closeWindows(now: number): void {
    const owner = this.#core.owner();
    if (!owner) return;
    const { store } = this.#core;
    const closing = this.#open.before(now - this.clickWindowSeconds, maxWindowsPerAlarm);
    for (const { id } of closing) {
      this.#core.transaction(owner.application, owner.userId, (state) => {
        const receipt = store.receipts.findOpen(id);
        const settings = countingSettingsOf(this.#env);
        if (receipt) closeClickWindow(store, state, receipt, { now, pseudonym: this.#pseudonym, settings });
      });
      this.#open.remove(id);
    }
    if (closing.length > 0 && this.#open.oldest === null) this.#hourly.windowsClosed(now);
  }
}
