import * as z from "zod";
import { type ExportItem, exportItem } from "../../shared/contracts/export.ts";
import type { Point } from "../../shared/contracts/primitives.ts";
import { toNdjson } from "../support/ndjson.ts";
import { waitUntil } from "../support/polling.ts";
import { callApi } from "./call-api.ts";

/** Longest time that an erasure or a merge may take after a kill. */
const maxSeconds = 90;

const exportPage = z.object({ items: z.array(exportItem), nextCursor: z.string().optional() });
const receipt = z.object({ accepted: z.number() });

/** Lines of one import. */
const linesPerImport = 500;

/** Returns the ids of the first `count` events that {@link UserRecords} sends of a user. */
export const eventIds = (userId: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${userId}-${i}`);

/** Sends events of users to the API at `url`, and reads what is stored about them. */
export class UserRecords {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  /** Returns everything that is stored about a user. */
  async export(userId: string): Promise<ExportItem[]> {
    const all: ExportItem[] = [];
    for (let cursor = ""; ; ) {
      const path = `/v1/users/${userId}/export?limit=500${cursor}`;
      const { items, nextCursor } = await callApi(this.#url, exportPage, "GET", path);
      all.push(...items);
      if (nextCursor === undefined) return all;
      cursor = `&cursor=${nextCursor}`;
    }
  }

  /** Returns the names of the stores that have data of a user, sorted. */
  async stores(userId: string): Promise<string[]> {
    return [...new Set((await this.export(userId)).map(({ store }) => store))].sort();
  }

  /** Imports `count` events of a user at `location`, each a second before the one after it. */
  async importEvents(userId: string, count: number, location: Point | null = null): Promise<void> {
    const now = Date.now();
    const lines = eventIds(userId, count).map((eventId, i) => ({
      ...{ eventId, userId, type: "view", productId: "p", location },
      timestamp: new Date(now - (count - i) * 1000).toISOString(),
    }));
    for (let at = 0; at < count; at += linesPerImport)
      await callApi(
        this.#url,
        receipt,
        "POST",
        "/v1/events/bulk",
        toNdjson(lines.slice(at, at + linesPerImport)),
      );
  }

  /** Sends `count` events of a user and waits until the history and the training log contain all of them. */
  async sendEventsAndWait(userId: string, count: number): Promise<void> {
    for (const eventId of eventIds(userId, count))
      await callApi(this.#url, receipt, "POST", "/v1/events", {
        events: [{ eventId, userId, type: "view", productId: "p" }],
      });
    await waitUntilTrue(`history and training log must contain ${count} events of ${userId}`, async () => {
      const items = await this.export(userId);
      return ["interactions", "training_log"].every(
        (name) => items.filter(({ store }) => store === name).length === count,
      );
    });
  }
}

/** Waits until a condition holds. A request that fails counts as a condition that does not hold. */
export const waitUntilTrue = (description: string, condition: () => Promise<boolean>): Promise<void> =>
  waitUntil(
    () => condition().catch(() => false),
    maxSeconds,
    () => description,
  );
