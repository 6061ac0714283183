import type { EventInput } from "../../shared/contracts/event.ts";
import type { BulkReport, ProductInput } from "../../shared/contracts/product.ts";
import { type ApiTarget, sendWithRetries } from "../api/send-with-retries.ts";

/** Everything that goes into an empty Vicinity, in this order. */
export interface Marketplace {
  name: string;
  products: ProductInput[];
  /** A person's events together and in time order: the bulk path makes one call per person. */
  events: EventInput[];
}

/** What became of it. */
export interface LoadReport {
  products: BulkReport;
  events: BulkReport;
}

const productsPerRequest = 2000;
const eventsPerRequest = 4000;
const maxConcurrentRequests = 2;

/** Runs `work` over the items with at most `width` under way. */
async function forEachConcurrent<T>(
  items: T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
}

function chunks<T>(items: T[], size: number): T[][] {
  const list: T[][] = [];
  for (let i = 0; i < items.length; i += size) list.push(items.slice(i, i + size));
  return list;
}

/** Cuts events into requests at the borders of people, so that no two requests write the same person at once. */
function chunkEventsByUser(events: EventInput[]): EventInput[][] {
  const list: EventInput[][] = [];
  let slice: EventInput[] = [];
  for (let i = 0; i < events.length; i++) {
    slice.push(events[i]);
    const lastOfUser = events[i + 1]?.userId !== events[i].userId;
    if (lastOfUser && slice.length >= eventsPerRequest) {
      list.push(slice);
      slice = [];
    }
  }
  if (slice.length > 0) list.push(slice);
  return list;
}

function addReport(sum: BulkReport, part: BulkReport): void {
  sum.received += part.received;
  sum.accepted += part.accepted;
  sum.duplicates += part.duplicates;
  sum.rejected += part.rejected;
  sum.errors.push(...part.errors.slice(0, 100 - sum.errors.length));
}

async function sendBulk<T>(
  target: ApiTarget,
  path: string,
  parts: T[][],
  total: number,
  progress: (done: number, total: number) => void,
): Promise<BulkReport> {
  const sum: BulkReport = { received: 0, accepted: 0, duplicates: 0, rejected: 0, errors: [] };
  await forEachConcurrent(parts, maxConcurrentRequests, async (part) => {
    const body = part.map((item) => JSON.stringify(item)).join("\n");
    addReport(sum, (await sendWithRetries(target, "POST", path, body, "application/x-ndjson")) as BulkReport);
    progress(sum.received, total);
  });
  return sum;
}

/** Loads a marketplace through the public bulk paths. Any number of times: what is there is not counted again. */
export async function loadMarketplace(
  market: Marketplace,
  target: ApiTarget,
  progress: (step: "products" | "events", done: number, total: number) => void,
): Promise<LoadReport> {
  const note = (done: number, total: number, status: string): Promise<unknown> =>
    sendWithRetries(
      target,
      "PUT",
      `/v1/imports/${market.name}`,
      JSON.stringify({ status, done, total }),
      "application/json",
    );
  const total = market.products.length + market.events.length;
  await note(0, total, "running");
  const products = await sendBulk(
    target,
    "/v1/products/bulk",
    chunks(market.products, productsPerRequest),
    market.products.length,
    (done, all) => progress("products", done, all),
  );
  await note(market.products.length, total, "running");
  const events = await sendBulk(
    target,
    "/v1/events/bulk",
    chunkEventsByUser(market.events),
    market.events.length,
    (done, all) => progress("events", done, all),
  );
  await note(total, total, "done");
  return { products, events };
}
