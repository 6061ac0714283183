import { mapConcurrent } from "../../shared/async/map-concurrent.ts";
import type { BulkReport, RefusedLine } from "../../shared/contracts/product.ts";
import { type ApiTarget, sendWithRetries } from "../api/send-with-retries.ts";
import type { Marketplace } from "./marketplace.ts";
import { type RequestLines, splitIntoLanes, splitRequests } from "./request-lanes.ts";

/** A product or event that the API refused, as JSON, with the reason. */
export interface RefusedItem {
  reason: string;
  item: string;
}

/** How many products and events the API accepted, found to be duplicates, and rejected. */
export interface LoadReport {
  products: BulkReport;
  events: BulkReport;
  /** Everything that the API refused. */
  refused: RefusedItem[];
}

const productLimits = { maxItems: 2000, maxBytes: 16 * 1024 * 1024 };
const eventLimits = { maxItems: 1000, maxBytes: 16 * 1024 * 1024 };
/** Lines of a request that is sent again to learn why each of its lines is refused: the API lists 100 reasons. */
const listedRefusals = 100;
const maxConcurrentRequests = 2;
const maxReportedErrors = 100;
/** Characters of the reason that is stored for a failed import. */
const maxReasonCharacters = 500;

/**
 * Returns whether a line is an event that an earlier import of the same files stored at another time, since it moved
 * all times by another number of weeks.
 */
const isMovedEvent = ({ code, fields }: RefusedLine): boolean =>
  code === "event_id_conflict" && fields?.length === 1 && fields[0] === "timestamp";

/** Adds the warnings of one request to a sum. */
function addWarnings(sum: BulkReport, part: BulkReport): void {
  const warnings = [...(sum.warnings ?? []), ...(part.warnings ?? [])];
  const listed = warnings.slice(0, maxReportedErrors);
  sum.warnings = listed;
  sum.warningsOmitted =
    (sum.warningsOmitted ?? 0) + (part.warningsOmitted ?? 0) + warnings.length - listed.length;
}

/** Sends requests to a bulk endpoint and adds up their reports. */
class BulkSender {
  readonly sum: BulkReport = { received: 0, accepted: 0, duplicates: 0, rejected: 0, errors: [] };
  readonly refused: RefusedItem[] = [];
  readonly #target: ApiTarget;
  readonly #path: string;
  readonly #timesMoved: boolean;

  /** With `timesMoved`, an event that is stored at another time counts as known before. */
  constructor(target: ApiTarget, path: string, timesMoved = false) {
    this.#target = target;
    this.#path = path;
    this.#timesMoved = timesMoved;
  }

  async send(lines: RequestLines): Promise<void> {
    const report = await this.#post(lines);
    this.sum.received += report.received;
    this.sum.accepted += report.accepted;
    this.sum.duplicates += report.duplicates;
    this.sum.rejected += report.rejected;
    addWarnings(this.sum, report);
    if (report.rejected === 0) return;
    if (report.errors.length >= Math.min(report.rejected, lines.length)) this.#keepReasons(lines, report);
    // The report names the first refused lines only. Sent again in small parts, all lines are named; those that were
    // accepted count as duplicates, and these reports are not added up.
    else
      for (let i = 0; i < lines.length; i += listedRefusals) {
        const part = lines.slice(i, i + listedRefusals);
        this.#keepReasons(part, await this.#post(part));
      }
  }

  #keepReasons(lines: RequestLines, { errors }: BulkReport): void {
    for (const error of errors) {
      if (this.#timesMoved && isMovedEvent(error)) {
        this.sum.rejected--;
        this.sum.duplicates++;
        continue;
      }
      if (this.sum.errors.length < maxReportedErrors) this.sum.errors.push(error);
      this.refused.push({ reason: error.message, item: lines[error.line - 1] ?? "" });
    }
  }

  async #post(lines: RequestLines): Promise<BulkReport> {
    return (await sendWithRetries(
      this.#target,
      "POST",
      this.#path,
      lines.join("\n"),
      "application/x-ndjson",
    )) as BulkReport;
  }
}

/** Returns why an import failed although all requests succeeded: nothing was accepted. Null if something was. */
function emptyImport(products: BulkSender, events: BulkSender): string | null {
  for (const [name, { sum, refused }] of Object.entries({ products, events }))
    if (sum.received > 0 && sum.accepted + sum.duplicates === 0)
      return `the API accepted none of ${sum.received.toLocaleString("en")} ${name}; the first reason: ${refused[0]?.reason ?? "none given"}`;
  return null;
}

/** What an import reports to `PUT /v1/imports/{name}`. */
interface Progress {
  status: "running" | "done" | "failed";
  done: number;
  total: number;
  reason?: string;
}

/** Reports the progress of an import, so that `GET /v1/imports` and `/readyz` show it. */
export const reportImport = (target: ApiTarget, name: string, progress: Progress): Promise<unknown> =>
  sendWithRetries(
    target,
    "PUT",
    `/v1/imports/${name}`,
    JSON.stringify({
      ...progress,
      ...(progress.reason === undefined ? {} : { reason: progress.reason.slice(0, maxReasonCharacters) }),
    }),
    "application/json",
  );

/**
 * Imports a marketplace through the public bulk endpoints, and reports the import's progress. An import may be
 * repeated: rows that are already there count as duplicates. Throws, after it has reported the import as failed with
 * the reason, if a request fails or if nothing is accepted.
 */
export async function loadMarketplace(
  market: Marketplace,
  target: ApiTarget,
  progress: (step: "products" | "events", done: number, total: number) => void,
): Promise<LoadReport> {
  const total = market.products.length + market.events.length;
  const products = new BulkSender(target, "/v1/products/bulk");
  const events = new BulkSender(target, "/v1/events/bulk", market.timesMoved);
  const report = (status: Progress["status"], reason?: string): Promise<unknown> =>
    reportImport(target, market.name, {
      status,
      done: products.sum.received + events.sum.received,
      total,
      reason,
    });
  try {
    await report("running");
    if (market.schema !== null)
      await sendWithRetries(
        target,
        "PUT",
        "/v1/catalog/schema",
        JSON.stringify(market.schema),
        "application/json",
      );
    await mapConcurrent(
      maxConcurrentRequests,
      splitRequests(market.products, productLimits),
      async (lines) => {
        await products.send(lines);
        progress("products", products.sum.received, market.products.length);
      },
    );
    await report("running");
    await mapConcurrent(maxConcurrentRequests, splitIntoLanes(market.events, eventLimits), async (lane) => {
      for (const lines of lane) {
        await events.send(lines);
        progress("events", events.sum.received, market.events.length);
      }
    });
    const empty = emptyImport(products, events);
    if (empty !== null) throw new Error(empty);
    await report("done");
  } catch (error) {
    // Where the API cannot be reached, the failure cannot be reported either; the first error is the one to show.
    await report("failed", error instanceof Error ? error.message : String(error)).catch(() => undefined);
    throw error;
  }
  return { products: products.sum, events: events.sum, refused: [...products.refused, ...events.refused] };
}
