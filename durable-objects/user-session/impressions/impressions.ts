import { isFiner } from "../../../shared/consent/levels.ts";
import type { RequestedImpression } from "../../../shared/contracts/impression.ts";
import { countingSettingsOf } from "../../../shared/counting/counting-settings.ts";
import type { SessionCore } from "../session-core.ts";
import type { OpenWindow } from "../store/receipt-store.ts";
import { clickWindowOf } from "./click-window.ts";
import { closeClickWindow } from "./close-click-window.ts";
import { noteExposure } from "./count-in-experiments.ts";
import { HourlyImpressions } from "./hourly-impressions.ts";
import { OpenWindows } from "./open-windows.ts";

/** Maximum number of click windows that one alarm closes. */
const maxWindowsPerAlarm = 20;

/** The recommendations that a user was shown, and their click windows. */
export class Impressions {
  readonly #env: UserSessionEnv;
  readonly #pseudonym: string;
  readonly #core: SessionCore;
  readonly #open: OpenWindows;
  readonly #hourly: HourlyImpressions;
  readonly clickWindowSeconds: number;

  constructor(env: UserSessionEnv, pseudonym: string, core: SessionCore) {
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
   * Stores impressions in one transaction, except those whose place is finer than the user's consent, which was lowered
   * since, and those above the limit of the hour.
   */
  store(application: string, userId: string, requested: readonly RequestedImpression[]): void {
    const now = Date.now() / 1000;
    const settings = countingSettingsOf(this.#env);
    const allowed: RequestedImpression[] = [];
    for (const each of requested) {
      const { precision, source } = each.impression.receipt.location;
      if (source !== "none" && isFiner(precision, this.#core.state.profile.precision)) continue;
      if (this.#hourly.isBelowLimit(now, allowed.length, each.requester, settings)) allowed.push(each);
    }
    if (allowed.length === 0) return;
    const before = this.#hourly.storedAt(now);
    const stored: OpenWindow[] = [];
    this.#core.transaction(application, userId, (state) => {
      for (const { impression, requester } of allowed) {
        const { receipt, featureHash, rankTemperature, rows, features, inputs } = impression;
        const seen = { featureHash, rankTemperature, rows, isVouched: requester.isVouched };
        const window = {
          id: receipt.recommendationId,
          time: Date.parse(receipt.time) / 1000,
          inHour: before + stored.length + 1,
        };
        const isStored = this.#core.store.receipts.put(
          { ...window, receipt: JSON.stringify(receipt), rows: JSON.stringify(seen), features },
          window.inHour,
        );
        if (!isStored) continue;
        stored.push(window);
        noteExposure(this.#core.store, receipt, now);
        if (receipt.input?.shown === "fade")
          state.listShown(
            receipt.items.map(({ productId }) => productId),
            window.time,
          );
        // They hold a profile, also without a place of the request.
        if (inputs && !isFiner(receipt.location.precision, state.profile.precision))
          this.#core.store.inputs.put(window.id, window.time, inputs);
      }
      state.receiptAdded();
    });
    this.#hourly.added(now, stored.length);
    for (const window of stored) this.#open.add(window);
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
