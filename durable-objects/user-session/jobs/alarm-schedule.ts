/** Minimum delay of the alarm that sends rows, in milliseconds, so that a burst of rows is sent in one message. */
const sendDelayMs = 50;
/** Delay before a failed alarm runs again, in milliseconds. */
const retryDelayMs = 5000;

/** The alarm of a user's object. Times are milliseconds since the epoch. */
export class AlarmSchedule {
  readonly #storage: DurableObjectStorage;
  /** When the alarm is scheduled; null if it is not, undefined until it is read. */
  #at: number | null | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  async load(): Promise<void> {
    if (this.#at === undefined) this.#at = await this.#storage.getAlarm();
  }

  /** Notes that the alarm runs, so that none is scheduled. */
  started(): void {
    this.#at = null;
  }

  /** Returns whether the alarm is scheduled for `time` at the latest. Call it after {@link load}. */
  isScheduledBy(time: number): boolean {
    return typeof this.#at === "number" && this.#at <= time;
  }

  /** Schedules the alarm for `time` at the latest; infinity schedules none. */
  async scheduleBy(time: number): Promise<void> {
    if (time === Number.POSITIVE_INFINITY) return;
    const at = Math.max(Date.now() + sendDelayMs, time);
    if ((this.#at ?? Number.POSITIVE_INFINITY) <= at) return;
    this.#at = at;
    await this.#storage.setAlarm(at);
  }

  /**
   * Schedules the alarm for `time` if it is scheduled for an earlier one, whose work is done. Call it after
   * {@link load}.
   */
  async postponeTo(time: number): Promise<void> {
    if (typeof this.#at !== "number" || this.#at >= time || time === Number.POSITIVE_INFINITY) return;
    this.#at = time;
    await this.#storage.setAlarm(time);
  }

  /** Schedules the alarm again after it failed. */
  async retry(): Promise<void> {
    this.#at = Date.now() + retryDelayMs;
    await this.#storage.setAlarm(this.#at);
  }
}
