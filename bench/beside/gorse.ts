import { setTimeout as sleep } from "node:timers/promises";
import type { Marketplace } from "../../scripts/marketplace/marketplace.ts";
import type { EventInput } from "../../shared/contracts/event.ts";
import type { ProductBody } from "../../shared/contracts/product.ts";
import { sendOnce } from "../load/closed-loop.ts";
import { type LoadRequest, statusFailure } from "../load/requests.ts";
import type { Recommender } from "./recommender.ts";

/** Returns a user as gorse's import reads it. */
export const gorseUser = (userId: string): object => ({ UserId: userId, Labels: null });

/** Returns a product as gorse's import reads it. `time` is in ISO 8601. */
export const gorseItem = (
  { id, title, category, attributes, available }: ProductBody,
  time: string,
): object => ({
  ItemId: id,
  IsHidden: available === false,
  // gorse allows no slash in the name of a category.
  Categories: category == null ? [] : [category.replaceAll("/", "-")],
  Timestamp: time,
  Labels: attributes ?? null,
  Comment: title,
});

/** Returns an event as gorse's feedback. gorse knows no place of an event, and one feedback of a type for a product. */
export const gorseFeedback = ({ userId, productId, type, timestamp }: EventInput): object => ({
  FeedbackType: type,
  UserId: userId,
  ItemId: productId,
  Value: 1,
  Timestamp: timestamp,
});

const get = (path: string): LoadRequest => ({
  method: "GET",
  path,
  headers: {},
  failure: (status, text) => statusFailure(200, status, text),
});

/** A task of gorse's master, as `GET /api/dashboard/tasks` lists it. */
export interface GorseTask {
  Name: string;
  Status: string;
  StartTime: string;
  Error?: string;
}

/** The task that makes the lists, after all models are fitted. */
const listTask = "Generate recommendation";

/** Returns whether gorse has made its lists after a time. `since` is in milliseconds since the epoch. */
export const listsAreMade = (tasks: readonly GorseTask[], since: number): boolean =>
  tasks.some(
    ({ Name, Status, StartTime }) =>
      Name === listTask && Status === "Complete" && Date.parse(StartTime) >= since,
  ) && tasks.every(({ Status }) => Status !== "Running" && Status !== "Pending");

const listTimeoutSeconds = 1800;
const pollSeconds = 2;

/** Sends rows to one of gorse's imports. Each import starts to fit models and make lists anew. */
async function importRows(url: string, kind: "users" | "items" | "feedback", rows: object[]): Promise<void> {
  const form = new FormData();
  form.set("file", new Blob([rows.map((row) => `${JSON.stringify(row)}\n`).join("")]), `${kind}.jsonl`);
  const response = await fetch(`${url}/api/bulk/${kind}`, { method: "POST", body: form });
  const text = await response.text();
  if (!response.ok)
    throw new Error(`POST /api/bulk/${kind} answered ${response.status}: ${text.slice(0, 300)}`);
  const { RowAffected } = JSON.parse(text) as { RowAffected: number };
  if (RowAffected !== rows.length)
    throw new Error(`POST /api/bulk/${kind} stored ${RowAffected} rows instead of ${rows.length}.`);
}

/** Waits until gorse has made its lists since a time, in milliseconds since the epoch. */
async function waitForLists(url: string, since: number, log: (line: string) => void): Promise<void> {
  for (const deadline = Date.now() + listTimeoutSeconds * 1000; Date.now() < deadline; ) {
    await sleep(pollSeconds * 1000);
    const { status, text } = await sendOnce(url, get("/api/dashboard/tasks"));
    if (status !== 200) throw new Error(`GET /api/dashboard/tasks answered ${status}: ${text}`);
    const tasks = JSON.parse(text) as GorseTask[];
    if (listsAreMade(tasks, since)) return;
    const running = tasks.find(({ Status }) => Status === "Running");
    if (running) log(`gorse: ${running.Name}`);
  }
  throw new Error(`gorse made no lists within ${listTimeoutSeconds / 60} minutes; see its log.`);
}

/** Loads a marketplace into gorse and waits for its lists, unless the last product and lists are there already. */
async function load(
  url: string,
  { products, events }: Marketplace,
  log: (line: string) => void,
): Promise<string> {
  const [newest, someone] = [products.at(-1), events.at(-1)?.userId];
  if (newest === undefined || someone === undefined)
    throw new Error("The marketplace has no products or events.");
  const [item, list] = await Promise.all([
    sendOnce(url, get(`/api/item/${encodeURIComponent(newest.id)}`)),
    sendOnce(url, get(`/api/dashboard/recommend/${encodeURIComponent(someone)}`)),
  ]);
  if (item.status === 200 && list.status === 200) {
    await waitForLists(url, 0, log);
    return "has the products and the lists already";
  }
  const now = new Date().toISOString();
  const users = [...new Set(events.map(({ userId }) => userId))];
  await importRows(url, "users", users.map(gorseUser));
  await importRows(
    url,
    "items",
    products.map((product) => gorseItem(product, now)),
  );
  const imported = Date.now();
  await importRows(url, "feedback", events.map(gorseFeedback));
  await waitForLists(url, imported, log);
  return `loaded ${users.length} users, ${products.length} products and ${events.length} events, and made the lists`;
}

/** The adapter for gorse's REST API, version 0.5. */
export const gorse: Recommender = {
  name: "gorse",

  health: () => get("/api/health/live"),

  list: ({ userId, items }) => ({
    ...get(`/api/recommend/${encodeURIComponent(userId)}?n=${items}`),
    failure(status, text) {
      const wrong = statusFailure(200, status, text);
      if (wrong !== null) return wrong;
      const found = (JSON.parse(text) as string[] | null) ?? [];
      return found.length === items ? null : `${found.length} items instead of ${items} for user ${userId}`;
    },
  }),

  events: (events) => ({
    method: "POST",
    path: "/api/feedback",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(events.map(gorseFeedback)),
    failure(status, text) {
      const wrong = statusFailure(200, status, text);
      if (wrong !== null) return wrong;
      const { RowAffected } = JSON.parse(text) as { RowAffected: number };
      return RowAffected === events.length
        ? null
        : `${RowAffected} events stored instead of ${events.length}`;
    },
  }),

  load,
};
