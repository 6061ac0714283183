import type { InteractionsMessage } from "../../../shared/contracts/queues.ts";

/** A message of an {@link QueueOfRows} that is not acknowledged. */
interface WaitingMessage {
  /** When it was sent, seconds since the epoch. */
  sent: number;
  seqs: number[];
}

/**
 * A queue of interactions as Cloudflare's: it keeps a message until a consumer acknowledges it, and its metrics say when the
 * oldest one was sent. The test sets the time.
 */
export class QueueOfRows {
  /** Seconds since the epoch. */
  now = 0;
  /** How many messages were sent. */
  sentCount = 0;
  /** Whether the queue refuses messages. */
  isDown = false;
  #waiting: WaitingMessage[] = [];

  /** Puts a message with rows into the queue. */
  put(seqs: number[]): void {
    if (this.isDown) throw new Error("the queue is down");
    this.sentCount++;
    this.#waiting.push({ sent: this.now, seqs });
  }

  /** Loses all messages, as no real queue does before their retention ends. */
  lose(): void {
    this.#waiting = [];
  }

  /** Acknowledges all messages. Returns the sequence numbers of their rows. */
  consume(): number[] {
    const seqs = this.#waiting.flatMap((message) => message.seqs);
    this.#waiting = [];
    return seqs;
  }

  /** The binding of the queue. */
  get binding(): Queue {
    return {
      metrics: async () => this.#metrics(),
      send: async (body: unknown) => {
        const { users } = body as InteractionsMessage;
        this.put(users.flatMap(({ rows }) => rows.map(({ seq }) => seq)));
        return { metadata: { metrics: this.#metrics() } };
      },
      sendBatch: () => Promise.reject(new Error("the outbox sends messages one by one")),
    };
  }

  #metrics(): QueueMetrics {
    const [oldest] = this.#waiting;
    return {
      backlogCount: this.#waiting.length,
      backlogBytes: this.#waiting.length,
      ...(oldest === undefined ? {} : { oldestMessageTimestamp: new Date(oldest.sent * 1000) }),
    };
  }
}
