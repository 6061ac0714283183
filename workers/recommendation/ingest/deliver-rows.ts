import { hash32, hash53 } from "../../../model/columns/hash.ts";
import type { AcceptedInteraction } from "../../../shared/contracts/event.ts";
import type { InteractionsMessage, UserRows } from "../../../shared/contracts/queues.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { ProductTotals, Transition, UnknownProduct } from "../../../shared/contracts/totals.ts";
import { ExperimentCountsTable } from "../../../shared/experiments/experiment-counts.ts";
import { cellPseudonymOf, logPseudonymOf } from "../../../shared/pseudonyms/hashed-names.ts";
import { type PseudonymKeys, pseudonymKeysOf } from "../../../shared/pseudonyms/pseudonym-keys.ts";
import { hourSeconds } from "../../../shared/time/seconds.ts";
import { eraseFromObject } from "../../../shared/training-log/erase-user.ts";
import { countOutcomes } from "../rollout/count-outcomes.ts";
import { endedGenerations } from "./ended-generations.ts";
import { fetchCards } from "./fetch-cards.ts";
import { respectConsent } from "./respect-consent.ts";
import { writeTrainingLog } from "./write-training-log.ts";

/** Products whose totals the user service returns in one call. */
const maxTotalsPerCall = 1000;

/**
 * Returns the transitions that an interaction adds: one from each product chosen just before it that counts. A dismissal
 * adds none. Those that a user repeats in the same UTC hour have the same key, so that the cells count them once.
 * `cellPseudonym` is the user's name in the cells.
 */
export function transitionsOf(
  cellPseudonym: string,
  interaction: Pick<AcceptedInteraction, "type" | "productId" | "time" | "counts" | "previous"> & {
    facts: Pick<AcceptedInteraction["facts"], "cell">;
  },
): (Transition & { fromCell: string })[] {
  if (interaction.type === "dismiss" || !interaction.counts) return [];
  const hour = Math.floor(interaction.time / hourSeconds);
  return interaction.previous.flatMap(({ productId, cell, counts }, i) => {
    const gap = interaction.previous.length - i;
    const isKnown = cell !== null && interaction.facts.cell !== null;
    return !counts || !isKnown || productId === interaction.productId
      ? []
      : [
          {
            // The cell counts each key once. The hash hides the user from the cell.
            key: hash53(JSON.stringify([cellPseudonym, productId, interaction.productId, gap, hour])),
            user: hash32(JSON.stringify([cellPseudonym, productId, interaction.productId])),
            from: productId,
            fromCell: cell,
            to: interaction.productId,
            toCell: interaction.facts.cell,
            gap,
            time: hour * hourSeconds,
          },
        ];
  });
}

/** Cells that one call of the location service writes to: its worker calls an object for each, and some twice. */
const maxCellsPerCall = 450;

/** Splits totals and transitions into calls of the location service, each with at most `maxCells` cells. */
export function splitByCells<T extends { cell: string }, R extends { fromCell: string }>(
  totals: readonly T[],
  transitions: readonly R[],
  maxCells: number = maxCellsPerCall,
): { totals: T[]; transitions: R[] }[] {
  const byCell = new Map<string, { totals: T[]; transitions: R[] }>();
  const of = (cell: string) => {
    const part = byCell.get(cell) ?? { totals: [], transitions: [] };
    byCell.set(cell, part);
    return part;
  };
  for (const each of totals) of(each.cell).totals.push(each);
  for (const each of transitions) of(each.fromCell).transitions.push(each);
  const parts = [...byCell.values()];
  return Array.from({ length: Math.ceil(parts.length / maxCells) }, (_, i) => {
    const some = parts.slice(i * maxCells, (i + 1) * maxCells);
    return {
      totals: some.flatMap((part) => part.totals),
      transitions: some.flatMap((part) => part.transitions),
    };
  });
}

/** Applies totals and transitions to the cells. Returns the products whose complete totals the cells need. */
async function applyTotals(
  env: Pick<RecommendationEnv, "LOCATION">,
  application: string,
  totals: readonly (ProductTotals & { cell: string })[],
  transitions: readonly (Transition & { fromCell: string })[],
): Promise<UnknownProduct[]> {
  const unknown: UnknownProduct[] = [];
  for (const part of splitByCells(totals, transitions)) {
    const applied = unwrap(
      await env.LOCATION.applyTotals(application, part.totals, part.transitions),
      "the location service",
    );
    unknown.push(...applied.unknown);
  }
  return unknown;
}

/** Returns the cell of each product: the cell that an event recorded, else the catalog's present cell. */
async function productCells(
  env: RecommendationEnv,
  application: string,
  interactions: readonly AcceptedInteraction[],
): Promise<Map<string, string>> {
  const cells = new Map<string, string>();
  const unknown = new Set<string>();
  for (const { productId, facts } of interactions)
    if (facts.cell === null) unknown.add(productId);
    else cells.set(productId, facts.cell);
  const missing = [...unknown].filter((id) => !cells.has(id));
  for (const { id, cell } of await fetchCards(env.PRODUCT, application, missing)) cells.set(id, cell);
  return cells;
}

/** Sends the totals of all hours of products for which a cell asked, for example after a product moved. */
async function sendCompleteTotals(
  env: RecommendationEnv,
  application: string,
  unknown: readonly UnknownProduct[],
): Promise<void> {
  const cells = new Map(unknown.map(({ productId, cell }) => [productId, cell]));
  const ids = [...cells.keys()];
  for (let i = 0; i < ids.length; i += maxTotalsPerCall) {
    const allHours = unwrap(
      await env.USER.hourlyTotals(application, ids.slice(i, i + maxTotalsPerCall)),
      "the user service",
    );
    const totals = allHours.map((each) => ({ ...each, cell: cells.get(each.productId) as string }));
    await applyTotals(env, application, totals, []);
  }
}

/** Merges the rows of several messages: one entry for each user and generation. */
export function mergeByUser(messages: readonly InteractionsMessage[]): UserRows[] {
  const users = new Map<string, UserRows>();
  for (const each of messages.flatMap((message) => message.users)) {
    const key = `${each.pseudonym}:${each.generation}`;
    const merged = users.get(key);
    if (merged) merged.rows.push(...each.rows);
    else users.set(key, { ...each, rows: [...each.rows] });
  }
  return [...users.values()];
}

/**
 * Writes outbox rows to their stores, in this order: the user database, the cells, the experiment counts, the training
 * log. What a consent that was lowered meanwhile forbids is left out. The user database takes rows and totals in one
 * transaction; the cells take absolute totals. Each write is idempotent. Throws at the first write that fails; the later
 * writes are not done.
 */
export async function deliverRows(
  env: RecommendationEnv,
  application: string,
  sent: readonly UserRows[],
): Promise<void> {
  const users = await respectConsent(env, application, sent);
  const batch = users.map(({ userId, pseudonym, generation, rows }) => ({
    userId,
    pseudonym,
    generation,
    interactions: rows.flatMap((row) => (row.kind === "interaction" ? [row.interaction] : [])),
  }));
  const interactions = batch.flatMap((each) => each.interactions);
  const keys = await pseudonymKeysOf(env);
  if (interactions.length > 0) {
    const recorded = unwrap(
      await env.USER.recordInteractions(
        application,
        batch.filter((each) => each.interactions.length > 0),
      ),
      "the user service",
    );
    const cells = await productCells(env, application, interactions);
    const totals = recorded.totals.flatMap((each): (ProductTotals & { cell: string })[] => {
      const cell = cells.get(each.productId);
      return cell === undefined ? [] : [{ ...each, cell }];
    });
    const uncounted = new Set(recorded.uncounted.map((each) => JSON.stringify([each.userId, each.eventId])));
    const transitions: ReturnType<typeof transitionsOf> = [];
    for (const { userId, pseudonym, interactions: list } of batch) {
      const cellPseudonym = await cellPseudonymOf(keys, pseudonym);
      for (const each of list)
        if (!uncounted.has(JSON.stringify([userId, each.eventId])))
          transitions.push(...transitionsOf(cellPseudonym, each));
    }
    const unknown = await applyTotals(env, application, totals, transitions);
    await sendCompleteTotals(env, application, unknown);
  }
  await countOutcomes(env, application, users);
  const written = await writeTrainingLog(env.TRAINING_LOG, keys, application, users);
  await removeErased(env, keys, application, users, written);
}

/**
 * Removes rows of erased generations that were just written. An erasure sets its tombstone before it scans the training
 * log. The scan removes the rows written before the scan; this function removes the rows written after the tombstone.
 */
async function removeErased(
  env: RecommendationEnv,
  pseudonymKeys: PseudonymKeys,
  application: string,
  users: readonly UserRows[],
  batch: string | null,
): Promise<void> {
  const tombstones = unwrap(
    await env.USER.findTombstones(application, [...new Set(users.map(({ pseudonym }) => pseudonym))]),
    "the user service",
  );
  if (tombstones.length === 0) return;
  // The counts of a merged user are the other user's now; the lines of the log stay.
  const ended = endedGenerations(tombstones);
  const erasedUsers = users.filter(
    ({ pseudonym, generation, rows }) =>
      generation <= (ended.get(pseudonym) ?? -1) && rows.some(({ kind }) => kind === "counts"),
  );
  if (erasedUsers.length > 0)
    await new ExperimentCountsTable(env.DB).eraseUsers(
      application,
      erasedUsers.map(({ pseudonym }) => pseudonym),
    );
  if (batch === null) return;
  const erasedInLog = new Map<string, number>();
  for (const { pseudonym, generation } of tombstones)
    erasedInLog.set(await logPseudonymOf(pseudonymKeys, pseudonym), generation);
  await eraseFromObject(env.TRAINING_LOG, batch, erasedInLog);
}
