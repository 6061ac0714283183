import { syntheticLog } from "../../model/recalibrate/testing/synthetic-log.ts";
import { Random } from "../../model/train/random.ts";
import { bundledWeights } from "../../scripts/models/bundled-model.ts";
import type { outboxRow, UserRows } from "../../shared/contracts/queues.ts";
import type { PseudonymKeys } from "../../shared/pseudonyms/pseudonym-keys.ts";
import type { LogBucket } from "../../shared/training-log/log-bucket.ts";
import { writeTrainingLog } from "../../workers/recommendation/ingest/write-training-log.ts";

/** The application whose log is generated. */
export const application = "demo";
/** Events of one queue batch, and of how many of them one comes with a training example. */
const eventsPerBatch = 20;
const eventsPerExample = 40;
/** Different examples. The log repeats them for other users and recommendations. */
const distinctExamples = 200;
/** One of so many events is of the busiest user, who is there on every day. The number is prime, so that examples are as rare. */
const eventsPerBusiest = 5003;
const products = 20_000;

/** The size of a generated log. */
export interface TrafficOptions {
  events: number;
  users: number;
  days: number;
  /** When the log begins, in seconds since the Unix epoch. */
  from: number;
}

/** Returns the id of a user's object. Its name in the log is a hash of it. */
export const objectIdOf = (user: number): string => user.toString(16).padStart(64, "0");

/**
 * Writes the events of `[first, last)` of all events of a log to a bucket, by the code of the queue consumer: each batch
 * at the time of its events, which `setTime` sets. User 0 is the busiest one.
 */
export class LogTraffic {
  readonly #options: TrafficOptions;
  readonly #keys: PseudonymKeys;
  readonly #random = new Random(5);
  readonly #examples: Record<string, unknown>[];

  constructor(options: TrafficOptions, keys: PseudonymKeys) {
    this.#options = options;
    this.#keys = keys;
    this.#examples = syntheticLog(bundledWeights(), {
      ...{ examples: distinctExamples, users: 10, seed: 3, until: options.from, shift: 0 },
    });
  }

  #timeOf(event: number): number {
    const { events, days, from } = this.#options;
    return from + (event / events) * days * 86_400;
  }

  /** Returns the rows of one event. */
  #rowsOf(event: number): UserRows {
    const { users } = this.#options;
    const user = event % eventsPerBusiest === 0 ? 0 : this.#random.below(users);
    const time = this.#timeOf(event);
    const recommendationId = `r-${Math.floor(event / 3)}`;
    const interaction = {
      ...{ userId: `u-${user}`, eventId: `e-${event}`, type: this.#random.below(4) === 0 ? "click" : "view" },
      ...{ productId: `p-${this.#random.below(products)}`, time, recommendationId, location: null },
      ...{
        first: true,
        previous: [],
        facts: { cell: null, category: null, priceMinor: null, currency: null },
      },
    };
    const rows: object[] = [{ kind: "interaction", seq: event, interaction }];
    if (event % eventsPerExample === 0) {
      const line = this.#examples[(event / eventsPerExample) % this.#examples.length];
      const {
        kind: _kind,
        pseudonym: _name,
        generation: _generation,
        recommendation: _id,
        ...example
      } = line;
      rows.push({ kind: "example", seq: event, example: { ...example, recommendationId, time } });
    }
    return {
      userId: `u-${user}`,
      pseudonym: objectIdOf(user),
      generation: 0,
      rows: rows as ReturnType<typeof outboxRow.parse>[],
    };
  }

  /** Writes the events of one hour, counted from the beginning of the log. */
  async writeHour(bucket: LogBucket, hour: number, setTime: (time: number) => void): Promise<void> {
    const { events, days } = this.#options;
    const perHour = events / (days * 24);
    const last = Math.floor((hour + 1) * perHour);
    for (let event = Math.floor(hour * perHour); event < last; event += eventsPerBatch) {
      const batch = Array.from({ length: Math.min(eventsPerBatch, last - event) }, (_, i) =>
        this.#rowsOf(event + i),
      );
      setTime(this.#timeOf(event));
      await writeTrainingLog(bucket, this.#keys, application, batch);
    }
  }
}
