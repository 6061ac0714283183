import * as z from "zod";
import { inJurisdiction } from "../../durable-objects/in-jurisdiction.ts";
import { decodeCursor, encodeCursor } from "../../shared/contracts/cursor.ts";
import {
  type CellContent,
  type ProductPosition,
  productPosition,
  type RebuildStep,
  rebuildPart,
} from "../../shared/contracts/rebuild.ts";
import { ok, type Result, refuse, unwrap } from "../../shared/contracts/result.ts";
import type { Transition } from "../../shared/contracts/totals.ts";
import { countingSettingsOf } from "../../shared/counting/counting-settings.ts";
import { cellPseudonymOf } from "../../shared/pseudonyms/hashed-names.ts";
import { pseudonymKeysOf } from "../../shared/pseudonyms/pseudonym-keys.ts";
import type { CountedInteraction } from "../../shared/services/user-api.ts";
import { daySeconds } from "../../shared/time/seconds.ts";
import { transitionsOf } from "./ingest/deliver-rows.ts";
import { fetchCards } from "./ingest/fetch-cards.ts";

/** Products whose totals one step recounts. */
const totalsPerStep = 5000;
/** Products that one step writes to their cells. */
const productsPerStep = 500;
/** Users whose transitions one step rebuilds. */
const usersPerStep = 20;
/** Interactions of one page of a user's history. */
const historyPageSize = 500;
/** Transitions that the location service accepts in one call. */
const maxTransitionsPerCall = 1000;
/** Maximum number of catalog reads in one step, which reads until two reads agree. */
const maxCatalogReads = 5;
/** Choices before an event from which transitions lead to it. */
const maxPreviousChoices = 3;
/** Seconds after which a step that met a changing catalog may be retried. */
const catalogRetryAfter = 5;

const position = z.object({ part: rebuildPart, at: z.string().nullable() });
type Position = z.infer<typeof position>;

/**
 * Runs one step of a rebuild of derived state from the catalog and the interactions. The parts are the totals, then the
 * cells (which publish their own tiles), then the item-to-item transitions (`neighbours`). A step may be repeated, and
 * live writes may continue: cells keep the newest value of each product.
 */
export async function runRebuildStep(
  env: RecommendationEnv,
  application: string,
  cursor: string | undefined,
): Promise<Result<RebuildStep>> {
  const start = decodeCursor(position, cursor);
  if (!start.ok) return start;
  const { part, at } = start.value ?? { part: "totals", at: null };
  const step = (done: number, next: Position | null): Result<RebuildStep> =>
    ok({ part, done, ...(next ? { nextCursor: encodeCursor(next) } : {}) });
  switch (part) {
    case "totals": {
      const { products, next } = unwrap(
        await env.USER.rebuildTotals(application, at, totalsPerStep),
        "the user service",
      );
      return step(products, next === null ? { part: "cells", at: null } : { part, at: next });
    }
    case "cells": {
      const from = decodeCursor(productPosition, at ?? undefined);
      if (!from.ok) return from;
      const filled = await rebuildCells(env, application, from.value);
      if (!filled)
        return refuse("unavailable", "The catalog changed during every read; retry the step.", {
          retryAfter: catalogRetryAfter,
        });
      return step(
        filled.cells,
        filled.last === null ? { part: "neighbours", at: null } : { part, at: encodeCursor(filled.last) },
      );
    }
    case "neighbours": {
      const users = unwrap(
        await env.USER.list(application, { limit: usersPerStep, cursor: at ?? undefined }),
        "the user service",
      );
      for (const { id } of users.items) await rebuildTransitions(env, application, id);
      return step(users.items.length, users.nextCursor === undefined ? null : { part, at: users.nextCursor });
    }
  }
}

/** Returns the next products after a position, with their totals. */
async function readCellContents(
  env: RecommendationEnv,
  application: string,
  after: ProductPosition | null,
): Promise<(CellContent & { cell: string })[]> {
  const products = unwrap(
    await env.PRODUCT.listByAddress(application, after, productsPerStep),
    "the product service",
  );
  const ids = products.map(({ change }) => change.productId);
  const totals = new Map<string, CellContent["totals"]>();
  for (const each of ids.length > 0
    ? unwrap(await env.USER.hourlyTotals(application, ids), "the user service")
    : [])
    totals.set(each.productId, each.hours.length > 0 ? each : null);
  return products.map((each) => ({ ...each, totals: totals.get(each.change.productId) ?? null }));
}

/**
 * Writes the products after `after` to their cells and returns the number of cells. A live write during the call may
 * have been overwritten with older data, so the step repeats until a second read equals the first. Returns null if the
 * catalog changes at every read.
 */
async function rebuildCells(
  env: RecommendationEnv,
  application: string,
  after: ProductPosition | null,
): Promise<{ cells: number; last: ProductPosition | null } | null> {
  let contents = await readCellContents(env, application, after);
  for (let i = 0; i < maxCatalogReads; i++) {
    const end = contents.length === productsPerStep ? contents.at(-1) : undefined;
    const last = end ? { cell: end.cell, productId: end.change.productId } : null;
    const { cells } = unwrap(
      await env.LOCATION.rebuildCells(
        application,
        { after, upTo: last },
        contents.map(({ change, totals }) => ({ change, totals })),
      ),
      "the location service",
    );
    const again = await readCellContents(env, application, after);
    if (JSON.stringify(again) === JSON.stringify(contents)) return { cells, last };
    contents = again;
  }
  return null;
}

/** Returns what a rebuild needs of a user's interactions, oldest first. */
async function readHistory(
  env: RecommendationEnv,
  application: string,
  userId: string,
): Promise<CountedInteraction[]> {
  const all: CountedInteraction[] = [];
  let cursor: string | undefined;
  do {
    const page = unwrap(
      await env.USER.listCountedInteractions(application, userId, { limit: historyPageSize, cursor }),
      "the user service",
    );
    all.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return all.reverse();
}

/** Sends a user's transitions to the cells again, as if the events had arrived in the order of their times. */
async function rebuildTransitions(
  env: RecommendationEnv,
  application: string,
  userId: string,
): Promise<void> {
  const history = await readHistory(env, application, userId);
  const ids = [...new Set(history.map(({ productId }) => productId))];
  const cells = new Map<string, string>();
  for (const card of await fetchCards(env.PRODUCT, application, ids)) cells.set(card.id, card.cell);
  const objectId = inJurisdiction(env.USER_SESSION).idFromName(`${application}:${userId}`).toString();
  const cellPseudonym = await cellPseudonymOf(await pseudonymKeysOf(env), objectId);
  const { againDays } = countingSettingsOf(env);
  const transitions = transitionsOfHistory(cellPseudonym, history, cells, againDays);
  for (let i = 0; i < transitions.length; i += maxTransitionsPerCall)
    unwrap(
      await env.LOCATION.applyTotals(application, [], transitions.slice(i, i + maxTransitionsPerCall)),
      "the location service",
    );
}

/**
 * Returns the transitions of a user's history, oldest first, by the rule of the user's object: between choices of
 * products for which the user counted, and each once in `againDays` days.
 */
export function transitionsOfHistory(
  cellPseudonym: string,
  history: readonly CountedInteraction[],
  cells: ReadonlyMap<string, string>,
  againDays: number,
): (Transition & { fromCell: string })[] {
  const transitions: (Transition & { fromCell: string })[] = [];
  const countedProducts = new Set<string>();
  const lastTimes = new Map<string, number>();
  let before: { productId: string; cell: string | null }[] = [];
  for (const { type, productId, time, counts } of history) {
    if (type === "dismiss" || type === "refund") continue;
    const cell = cells.get(productId) ?? null;
    const previous = before.map((from, i) => {
      const pair = JSON.stringify([from.productId, productId, before.length - i]);
      const isNew = time - (lastTimes.get(pair) ?? Number.NEGATIVE_INFINITY) >= againDays * daySeconds;
      lastTimes.set(pair, time);
      return { ...from, counts: isNew && countedProducts.has(from.productId) };
    });
    transitions.push(
      ...transitionsOf(cellPseudonym, { type, productId, time, counts, facts: { cell }, previous }),
    );
    if (counts) countedProducts.add(productId);
    before = [...before, { productId, cell }].slice(-maxPreviousChoices);
  }
  return transitions;
}
