import { mapConcurrent } from "../../shared/async/map-concurrent.ts";
import type { EventInput } from "../../shared/contracts/event.ts";
import type { BulkReport } from "../../shared/contracts/product.ts";
import { type ApiTarget, sendWithRetries } from "../api/send-with-retries.ts";
import type { Marketplace } from "./marketplace.ts";

/** How many products and events the API accepted, found to be duplicates, and rejected. */
export interface LoadReport {
  products: BulkReport;
  events: BulkReport;
}

const productsPerRequest = 2000;
const eventsPerRequest = 4000;
const maxConcurrentRequests = 2;
const maxReportedErrors = 100;

function chunks<T>(items: T[], size: number): T[][] {
  const list: T[][] = [];
  for (let i = 0; i < items.length; i += size) list.push(items.slice(i, i + size));
  return list;
}

/** Splits events into requests between users, so that no two concurrent requests write to the same user. */
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

/** Adds the counts and errors of one request to a sum. */
function addReport(sum: BulkReport, part: BulkReport): void {
  sum.received += part.received;
  sum.accepted += part.accepted;
  sum.duplicates += part.duplicates;
  sum.rejected += part.rejected;
  sum.errors.push(...part.errors.slice(0, maxReportedErrors - sum.errors.length));
}

/** Sends parts to a bulk endpoint as NDJSON, and returns the sum of their reports. */
async function sendBulk<T>(
  target: ApiTarget,
  path: string,
  parts: T[][],
  total: number,
  progress: (done: number, total: number) => void,
): Promise<BulkReport> {
  const sum: BulkReport = { received: 0, accepted: 0, duplicates: 0, rejected: 0, errors: [] };
  await mapConcurrent(maxConcurrentRequests, parts, async (part) => {
    const body = part.map((item) => JSON.stringify(item)).join("\n");
    addReport(sum, (await sendWithRetries(target, "POST", path, body, "application/x-ndjson")) as BulkReport);
    progress(sum.received, total);
  });
  return sum;
}

/**
 * Imports a marketplace through the public bulk endpoints, and records the import's progress for `/readyz`. An import
 * may be repeated: rows that are already there count as duplicates.
 */
export async function loadMarketplace(
  market: Marketplace,
  target: ApiTarget,
  progress: (step: "products" | "events", done: number, total: number) => void,
): Promise<LoadReport> {
  const recordProgress = (done: number, total: number, status: string): Promise<unknown> =>
    sendWithRetries(
      target,
      "PUT",
      `/v1/imports/${market.name}`,
      JSON.stringify({ status, done, total }),
      "application/json",
    );
  const total = market.products.length + market.events.length;
  await recordProgress(0, total, "running");
  const products = await sendBulk(
    target,
    "/v1/products/bulk",
    chunks(market.products, productsPerRequest),
    market.products.length,
    (done, all) => progress("products", done, all),
  );
  await recordProgress(market.products.length, total, "running");
  const events = await sendBulk(
    target,
    "/v1/events/bulk",
    chunkEventsByUser(market.events),
    market.events.length,
    (done, all) => progress("events", done, all),
  );
  await recordProgress(total, total, "done");
  return { products, events };
}
