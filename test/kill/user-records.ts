import { z } from "zod";
import { type ExportItem, exportItem } from "../../shared/contracts/export.ts";
import { waitUntil } from "../support/polling.ts";
import { callApi } from "./call-api.ts";

/** Longest time that an erasure or a merge may take after a kill. */
const maxSeconds = 90;

const exportPage = z.object({ items: z.array(exportItem), nextCursor: z.string().optional() });
const receipt = z.object({ accepted: z.number() });

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
      const path = `/v1/users/${userId}/export?limit=100${cursor}`;
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

  /** Sends `count` events of a user and waits until the history and the training log contain all of them. */
  async sendEventsAndWait(userId: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++)
      await callApi(this.#url, receipt, "POST", "/v1/events", {
        events: [{ eventId: `${userId}-${i}`, userId, type: "view", productId: "p" }],
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
