import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as z from "zod";
import { decodeHours } from "../../durable-objects/cell/hours.ts";
import {
  type HourTotals,
  hourList,
  mergeHours,
  sumTotals,
  type Totals,
} from "../../shared/contracts/totals.ts";
import { logDays } from "../../shared/training-log/keys.ts";
import { countLogLines } from "../../shared/training-log/testing/count-log-lines.ts";
import { readAllInteractions } from "../../workers/user/testing/read-all-interactions.ts";
import { withLocalBindings } from "../support/with-local-bindings.ts";

/** A row of the D1 table `interactions`. */
export interface StoredInteraction {
  userId: string;
  eventId: string;
  type: string;
  productId: string;
  recommendationId: string | null;
}

/** Content of the stores of one application. */
export interface StoredData {
  interactions: StoredInteraction[];
  /** Lifetime totals by product, from the D1 table `interaction_totals`. */
  totals: Map<string, Totals>;
  /** Lifetime totals by product, from the Durable Object of the product's cell. */
  cellTotals: Map<string, Totals>;
  /** Number of rows of the D1 table `user_locations`. */
  locations: number;
  /** Number of different interactions in the training log. */
  loggedInteractions: number;
  /** Number of objects of the training log. */
  logObjects: number;
}

/** Totals in a row of the table `pending_deltas`, which the cell has not compacted yet. */
const pendingDelta = z.object({ totals: z.array(z.object({ productId: z.string(), hours: hourList })) });

/** Reads all stores of a state directory. No worker may run on the directory meanwhile. */
export async function readStores(stateDir: string, application: string): Promise<StoredData> {
  const databaseContent = await withLocalBindings("user", stateDir, async ({ DB }) => {
    const rows = await readAllInteractions(DB, application);
    const totals = await DB.prepare(
      `SELECT product_id AS id, sum(view) AS view, sum(click) AS click, sum(cart) AS cart,
         sum(purchase) AS purchase, sum(dismiss) AS dismiss, sum(people) AS people,
         sum(buyers) AS buyers
       FROM interaction_totals WHERE application = ? GROUP BY 1`,
    )
      .bind(application)
      .all<Totals & { id: string }>();
    const locations = await DB.prepare("SELECT count(*) AS n FROM user_locations WHERE application = ?")
      .bind(application)
      .first<number>("n");
    return {
      interactions: rows,
      totals: new Map(totals.results.map(({ id, ...counts }) => [id, counts])),
      locations: locations ?? 0,
    };
  });
  const log = await withLocalBindings("trainer", stateDir, async ({ TRAINING_LOG }) =>
    countLogLines(TRAINING_LOG, application, await logDays(TRAINING_LOG, application)),
  );
  return {
    ...databaseContent,
    cellTotals: readCellTotals(stateDir),
    loggedInteractions: log.interactions,
    logObjects: log.objects,
  };
}

/** Reads the totals of each product from the SQLite database of the Durable Object of its cell. */
function readCellTotals(stateDir: string): Map<string, Totals> {
  const folder = join(stateDir, "v3/do/vicinity-cell-Cell");
  const totalsByProduct = new Map<string, Totals>();
  if (!existsSync(folder)) return totalsByProduct;
  for (const file of readdirSync(folder)) {
    if (!file.endsWith(".sqlite") || file.startsWith("metadata")) continue;
    const database = new DatabaseSync(join(folder, file), { readOnly: true });
    try {
      const isCell = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'pending_deltas'").get();
      if (!isCell) continue;
      const rows = (sql: string) => database.prepare(sql).all() as { id: string; body: string }[];
      const hours = new Map<string, HourTotals[]>();
      for (const { id, body } of rows("SELECT id, body FROM hours")) hours.set(id, decodeHours(body));
      for (const { body } of rows(
        "SELECT seq AS id, body FROM pending_deltas WHERE seq > coalesce((SELECT seq FROM compacted), 0)",
      ))
        for (const { productId, hours: added } of pendingDelta.parse(JSON.parse(body)).totals)
          hours.set(productId, mergeHours(hours.get(productId) ?? [], added));
      for (const { id } of rows("SELECT id, body FROM products"))
        if (hours.has(id)) totalsByProduct.set(id, sumTotals(hours.get(id) ?? []));
    } finally {
      database.close();
    }
  }
  return totalsByProduct;
}
