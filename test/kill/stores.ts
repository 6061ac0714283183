import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { D1Database, R2Bucket } from "@cloudflare/workers-types";
import { getPlatformProxy } from "wrangler";
import { z } from "zod";
import { decodeHours } from "../../durable-objects/cell/hours.ts";
import { workerNamed } from "../../scripts/workers.ts";
import {
  type HourTotals,
  hourList,
  sumTotals,
  mergeHours,
  type Totals,
} from "../../shared/contracts/totals.ts";
import { countLogLines } from "../../workers/trainer/count-log-lines.ts";

/** A row of the table of interactions. */
export interface HeldInteraction {
  userId: string;
  eventId: string;
  type: string;
  productId: string;
  recommendationId: string | null;
}

/** What the stores of one application hold. */
export interface Held {
  interactions: HeldInteraction[];
  /** Lifetime totals by product, of the table and of the product's own cell. */
  totals: Map<string, Totals>;
  cellTotals: Map<string, Totals>;
  visits: number;
  /** Interactions in the training log, repeats dropped, and the objects that hold them. */
  logged: number;
  logObjects: number;
}

/** News of a cell that are not folded yet. */
const news = z.object({ totals: z.array(z.object({ productId: z.string(), hours: hourList })) });

const root = join(import.meta.dirname, "../..");

/** Bindings of a worker over the state, while nothing else uses it. */
export async function withBindings<T>(
  worker: string,
  stateDir: string,
  use: (bindings: { DB: D1Database; TRAINING_LOG: R2Bucket }) => Promise<T>,
): Promise<T> {
  const { env, dispose } = await getPlatformProxy<{ DB: D1Database; TRAINING_LOG: R2Bucket }>({
    configPath: join(root, workerNamed(worker).config),
    persist: { path: join(stateDir, "v3") },
    remoteBindings: false,
  });
  try {
    return await use(env);
  } finally {
    await dispose();
  }
}

/** Reads all stores of a state that no stack is running on. */
export async function heldIn(stateDir: string, application: string): Promise<Held> {
  const records = await withBindings("user", stateDir, async ({ DB }) => {
    const rows = await DB.prepare(
      `SELECT user_id AS userId, event_id AS eventId, type, product_id AS productId,
         recommendation_id AS recommendationId FROM interactions WHERE application = ?`,
    )
      .bind(application)
      .all<HeldInteraction>();
    const totals = await DB.prepare(
      `SELECT product_id AS id, sum(view) AS view, sum(click) AS click, sum(cart) AS cart,
         sum(purchase) AS purchase, sum(dismiss) AS dismiss, sum(people) AS people
       FROM interaction_totals WHERE application = ? GROUP BY 1`,
    )
      .bind(application)
      .all<Totals & { id: string }>();
    const visits = await DB.prepare("SELECT count(*) AS n FROM user_locations WHERE application = ?")
      .bind(application)
      .first<number>("n");
    return {
      interactions: rows.results,
      totals: new Map(totals.results.map(({ id, ...counts }) => [id, counts])),
      visits: visits ?? 0,
    };
  });
  const log = await withBindings("trainer", stateDir, ({ TRAINING_LOG }) =>
    countLogLines(TRAINING_LOG, `${application}/log/v1/`),
  );
  return {
    ...records,
    cellTotals: cellTotalsIn(stateDir),
    logged: log.interactions,
    logObjects: log.objects,
  };
}

/** Totals of products in the cells that they live in, read from the objects' own databases. */
function cellTotalsIn(stateDir: string): Map<string, Totals> {
  const folder = join(stateDir, "v3/do/vicinity-location-Cell");
  const found = new Map<string, Totals>();
  if (!existsSync(folder)) return found;
  for (const file of readdirSync(folder)) {
    if (!file.endsWith(".sqlite") || file.startsWith("metadata")) continue;
    const database = new DatabaseSync(join(folder, file), { readOnly: true });
    try {
      const known = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'pending_deltas'").get();
      if (!known) continue;
      const rows = (sql: string) => database.prepare(sql).all() as { id: string; body: string }[];
      const hours = new Map<string, HourTotals[]>();
      for (const { id, body } of rows("SELECT id, body FROM hours")) hours.set(id, decodeHours(body));
      for (const { body } of rows(
        "SELECT seq AS id, body FROM pending_deltas WHERE seq > coalesce((SELECT seq FROM compacted), 0)",
      ))
        for (const { productId, hours: told } of news.parse(JSON.parse(body)).totals)
          hours.set(productId, mergeHours(hours.get(productId) ?? [], told));
      for (const { id } of rows("SELECT id, body FROM products"))
        if (hours.has(id)) found.set(id, sumTotals(hours.get(id) ?? []));
    } finally {
      database.close();
    }
  }
  return found;
}
