import { beforeEach, describe, expect, it } from "vitest";
import { catalogMessage } from "../../shared/contracts/queues.ts";
import { queueOf } from "../../shared/testing/queue-of.ts";
import { enqueueProducts, enqueueWaiting, resendOutbox } from "./outbox.ts";
import { ProductStore } from "./store.ts";
import { environment, migrate, sampleProduct } from "./testing/environment.ts";

const store = new ProductStore(environment.DB);

/** A queue that keeps its messages in order, as `[application, number of products]`. */
function recordingQueue() {
  const sent: [string, number][] = [];
  const queue = queueOf(async (body) => {
    const { application, productIds } = catalogMessage.parse(body);
    sent.push([application, productIds.length]);
  });
  return { queue, sent };
}

const ids = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `p${from + i}`);
const write = (application: string, productIds: string[], now: number) =>
  store.upsert(
    application,
    productIds.map((id) => sampleProduct({ id })),
    now,
  );
/** Closes rows as the consumer does after it has processed a message. */
const close = (application: string, productIds: string[]) =>
  store.closeOutbox(
    application,
    productIds.map((productId) => ({ productId, version: 1 })),
  );
const total = (sent: [string, number][], application: string): number =>
  sent.reduce((sum, [name, count]) => sum + (name === application ? count : 0), 0);

beforeEach(async () => {
  await migrate();
  await environment.DB.batch(
    ["outbox", "products"].map((table) => environment.DB.prepare(`DELETE FROM ${table}`)),
  );
});

describe("the outbox", () => {
  it("queues a bounded part of an import, so that another application's message stands behind few", async () => {
    const { queue, sent } = recordingQueue();
    for (let i = 0; i < 20; i++) {
      await write("large", ids(500, 500 * i), 1000);
      await enqueueProducts(queue, store, "large", ids(500, 500 * i), 1000);
    }
    expect(total(sent, "large")).toBe(5000);
    await write("small", ["a"], 1001);
    await enqueueProducts(queue, store, "small", ["a"], 1001);
    expect(sent.at(-1)).toEqual(["small", 1]);
    expect(sent).toHaveLength(21);
  });

  it("goes on with the waiting products of an import as its messages are processed, until none is left", async () => {
    const { queue, sent } = recordingQueue();
    await write("import", ids(7000), 1000);
    await enqueueProducts(queue, store, "import", ids(7000), 1000);
    let processed = 0;
    while (processed < sent.length) {
      const [, count] = sent[processed++];
      const { results } = await environment.DB.prepare(
        "SELECT product_id AS id FROM outbox WHERE sent_at > 0 LIMIT ?",
      )
        .bind(count)
        .all<{ id: string }>();
      await close(
        "import",
        results.map(({ id }) => id),
      );
      await enqueueWaiting(queue, store, "import", count, 1001);
    }
    expect(total(sent, "import")).toBe(7000);
    expect(await store.applicationsWithOpenRows()).toEqual([]);
  });

  it("resends rows that stay open, of every application within its bound, and once in 30 s", async () => {
    const { queue, sent } = recordingQueue();
    await write("a-large", ids(7000), 1000);
    await write("z-small", ids(2), 1000);
    expect(await resendOutbox(queue, store, 1000)).toBe(5002);
    expect([total(sent, "a-large"), total(sent, "z-small")]).toEqual([5000, 2]);
    expect(await resendOutbox(queue, store, 1029)).toBe(0);
    expect(await resendOutbox(queue, store, 1031)).toBe(5002);
    expect(await store.applicationsWithOpenRows()).toEqual(["a-large", "z-small"]);
  });
});
