import { z } from "zod";
import { decodeCursor, encodeCursor } from "../../shared/contracts/cursor.ts";
import type { AcceptedInteraction } from "../../shared/contracts/event.ts";
import { fromInstant } from "../../shared/contracts/primitives.ts";
import { anyVersion } from "../../shared/contracts/product.ts";
import {
  type CellContent,
  type ProductPosition,
  productPosition,
  type RebuildStep,
  rebuildPart,
} from "../../shared/contracts/rebuild.ts";
import { ok, type Result, refuse, unwrap } from "../../shared/contracts/result.ts";
import type { Transition } from "../../shared/contracts/totals.ts";
import type { UserInteraction } from "../../shared/contracts/user.ts";
import { transitionsOf } from "./ingest/deliver.ts";

/** Products whose totals one step counts, products that it puts into their cells, people whose steps it takes. */
const totalsAtOnce = 5000;
const productsAtOnce = 500;
const userAtOnce = 20;
/** Products of one call. */
const idsPerCall = 1000;
/** Readings of the catalogue until two agree; it changes meanwhile. */
const maxReadings = 5;
/** Choices that an event is taken to follow. */
const previousChoices = 3;

const position = z.object({ part: rebuildPart, at: z.string().nullable() });
type Position = z.infer<typeof position>;

/** The value of another worker's answer; a refusal of theirs ends the step. */

/**
 * One step of making derived state anew from the catalogue and the interactions: totals, then cells with their totals
 * (tiles follow by themselves), then neighbours. Each step may be repeated, and everything goes on being written
 * meanwhile: cells hold the newest of both.
 */
export async function rebuild(
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
        await env.USER.rebuildTotals(application, at, totalsAtOnce),
        "the user service",
      );
      return step(products, next === null ? { part: "cells", at: null } : { part, at: next });
    }
    case "cells": {
      const from = decodeCursor(productPosition, at ?? undefined);
      if (!from.ok) return from;
      const filled = await rebuildCells(env, application, from.value);
      if (!filled) return refuse("unavailable", "The catalogue changes too fast now.", { retryAfter: 5 });
      return step(
        filled.cells,
        filled.last === null ? { part: "neighbours", at: null } : { part, at: encodeCursor(filled.last) },
      );
    }
    case "neighbours": {
      const users = unwrap(
        await env.USER.list(application, { limit: userAtOnce, cursor: at ?? undefined }),
        "the user service",
      );
      for (const { id } of users.items) await rebuildSteps(env, application, id);
      return step(users.items.length, users.nextCursor === undefined ? null : { part, at: users.nextCursor });
    }
  }
}

/** The next products after a position, with what people did with them. */
async function contentsOf(
  env: RecommendationEnv,
  application: string,
  after: ProductPosition | null,
): Promise<(CellContent & { cell: string })[]> {
  const products = unwrap(
    await env.PRODUCT.byAddress(application, after, productsAtOnce),
    "the product service",
  );
  const ids = products.map(({ change }) => change.productId);
  const totals = new Map<string, CellContent["totals"]>();
  for (const each of ids.length > 0
    ? unwrap(await env.USER.absoluteTotals(application, ids), "the user service")
    : [])
    totals.set(each.productId, each.hours.length > 0 ? each : null);
  return products.map((each) => ({ ...each, totals: totals.get(each.change.productId) ?? null }));
}

/**
 * Fills cells with the products after `after`. What was written while they were filled may have been overwritten by what was
 * read before: so it is read again until nothing changed in between; whatever is written later arrives later. Null where it
 * does not come to rest.
 */
async function rebuildCells(
  env: RecommendationEnv,
  application: string,
  after: ProductPosition | null,
): Promise<{ cells: number; last: ProductPosition | null } | null> {
  let contents = await contentsOf(env, application, after);
  for (let i = 0; i < maxReadings; i++) {
    const end = contents.length === productsAtOnce ? contents.at(-1) : undefined;
    const last = end ? { cell: end.cell, productId: end.change.productId } : null;
    const { cells } = unwrap(
      await env.LOCATION.rebuild(
        application,
        { after, upTo: last },
        contents.map(({ change, totals }) => ({ change, totals })),
      ),
      "the location service",
    );
    const again = await contentsOf(env, application, after);
    if (JSON.stringify(again) === JSON.stringify(contents)) return { cells, last };
    contents = again;
  }
  return null;
}

/** A person's interactions, the oldest first. */
async function historyOf(
  env: RecommendationEnv,
  application: string,
  userId: string,
): Promise<UserInteraction[]> {
  const all: UserInteraction[] = [];
  let cursor: string | undefined;
  do {
    const page = unwrap(
      await env.USER.history(application, userId, { limit: 500, cursor }),
      "the user service",
    );
    all.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return all.reverse();
}

/** Takes a person's steps once more, as if their events had come in the order of their times. */
async function rebuildSteps(env: RecommendationEnv, application: string, userId: string): Promise<void> {
  const history = await historyOf(env, application, userId);
  const ids = [...new Set(history.map(({ productId }) => productId))];
  const cells = new Map<string, string>();
  for (let i = 0; i < ids.length; i += idsPerCall)
    for (const card of unwrap(
      await env.PRODUCT.cards(application, anyVersion(ids.slice(i, i + idsPerCall))),
      "the product service",
    ))
      cells.set(card.id, card.cell);
  const object = env.USER_SESSION.idFromName(`${application}:${userId}`).toString();
  const transitions: (Transition & { fromCell: string })[] = [];
  let previous: AcceptedInteraction["previous"] = [];
  for (const { eventId, type, productId, timestamp } of history) {
    const cell = cells.get(productId) ?? null;
    const facts = { cell, lat: null, lon: null, category: null, price: null };
    const time = fromInstant(timestamp);
    transitions.push(
      ...transitionsOf(object, {
        eventId,
        type,
        productId,
        time,
        recommendationId: null,
        at: null,
        facts,
        first: false,
        previous,
      }),
    );
    if (type !== "dismiss") previous = [...previous, { productId, cell }].slice(-previousChoices);
  }
  for (let i = 0; i < transitions.length; i += idsPerCall)
    unwrap(
      await env.LOCATION.applyTotals(application, [], transitions.slice(i, i + idsPerCall)),
      "the location service",
    );
}
