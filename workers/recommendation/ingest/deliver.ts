import { hash53 } from "../../../model/columns/hash.ts";
import type { AcceptedInteraction } from "../../../shared/contracts/event.ts";
import { anyVersion } from "../../../shared/contracts/product.ts";
import type { InteractionsMessage, UserRows } from "../../../shared/contracts/queues.ts";
import { unwrap } from "../../../shared/contracts/result.ts";
import type { ProductTotals, Transition, UnknownProduct } from "../../../shared/contracts/totals.ts";
import { UserCountsTable } from "../../../shared/experiments/user-counts.ts";
import { eraseFromObject } from "../../../shared/training-log/erase.ts";
import { countOutcomes } from "../rollout/count.ts";
import { writeTrainingLog } from "./training-log.ts";

/** Products of one call. */
const idsPerCall = 1000;

/** The steps that an interaction made: from each of the choices just before it. */
export function transitionsOf(
  object: string,
  each: AcceptedInteraction,
): (Transition & { fromCell: string })[] {
  if (each.type === "dismiss") return [];
  return each.previous.flatMap(({ productId, cell }, i) =>
    cell === null || each.facts.cell === null || productId === each.productId
      ? []
      : [
          {
            // No place learns who it was.
            key: hash53(`${object}:${each.eventId}`),
            from: productId,
            fromCell: cell,
            to: each.productId,
            toCell: each.facts.cell,
            gap: each.previous.length - i,
            time: each.time,
          },
        ],
  );
}

/** Where products are: as the events know it, else as the catalogue knows it by now. */
async function cellsOf(
  env: RecommendationEnv,
  application: string,
  interactions: readonly AcceptedInteraction[],
): Promise<Map<string, string>> {
  const cells = new Map<string, string>();
  const unknown = new Set<string>();
  for (const { productId, facts } of interactions)
    if (facts.cell === null) unknown.add(productId);
    else cells.set(productId, facts.cell);
  const asked = [...unknown].filter((id) => !cells.has(id));
  for (let i = 0; i < asked.length; i += idsPerCall) {
    const cards = unwrap(
      await env.PRODUCT.cards(application, anyVersion(asked.slice(i, i + idsPerCall))),
      "the product service",
    );
    for (const { id, cell } of cards) cells.set(id, cell);
  }
  return cells;
}

/** Tells cells all that went on with products of which they know nothing, such as one that moved. */
async function tellWhole(
  env: RecommendationEnv,
  application: string,
  unknown: readonly UnknownProduct[],
): Promise<void> {
  const cells = new Map(unknown.map(({ productId, cell }) => [productId, cell]));
  const ids = [...cells.keys()];
  for (let i = 0; i < ids.length; i += idsPerCall) {
    const whole = unwrap(
      await env.USER.absoluteTotals(application, ids.slice(i, i + idsPerCall)),
      "the user service",
    );
    const totals = whole.map((each) => ({ ...each, cell: cells.get(each.productId) as string }));
    unwrap(await env.LOCATION.applyTotals(application, totals, []), "the location service");
  }
}

/** Rows by person: what several messages say of one person is one part of the batch. */
export function byUser(messages: readonly InteractionsMessage[]): UserRows[] {
  const users = new Map<string, UserRows>();
  for (const each of messages.flatMap((message) => message.users)) {
    const life = `${each.object}:${each.generation}`;
    const known = users.get(life);
    if (known) known.rows.push(...each.rows);
    else users.set(life, { ...each, rows: [...each.rows] });
  }
  return [...users.values()];
}

/**
 * Brings rows of people to where they belong: the records (rows and totals in one transaction), the cells (absolute
 * totals), the counts of experiments, the training log. Every step may run any number of times; throws where one failed, and nothing after it has
 * happened.
 */
export async function bring(
  env: RecommendationEnv,
  application: string,
  users: readonly UserRows[],
): Promise<void> {
  const batch = users.map(({ userId, object, generation, rows }) => ({
    userId,
    object,
    generation,
    interactions: rows.flatMap((row) => (row.kind === "interaction" ? [row.interaction] : [])),
  }));
  const interactions = batch.flatMap((each) => each.interactions);
  if (interactions.length > 0) {
    const recorded = unwrap(
      await env.USER.recordInteractions(
        application,
        batch.filter((each) => each.interactions.length > 0),
      ),
      "the user service",
    );
    const cells = await cellsOf(env, application, interactions);
    const totals = recorded.totals.flatMap((each): (ProductTotals & { cell: string })[] => {
      const cell = cells.get(each.productId);
      return cell === undefined ? [] : [{ ...each, cell }];
    });
    const transitions = batch.flatMap(({ object, interactions: list }) =>
      list.flatMap((each) => transitionsOf(object, each)),
    );
    const applied = unwrap(
      await env.LOCATION.applyTotals(application, totals, transitions),
      "the location service",
    );
    await tellWhole(env, application, applied.unknown);
  }
  await countOutcomes(env, application, users);
  const written = await writeTrainingLog(env.TRAINING_LOG, application, users);
  await withoutErased(env, application, users, written);
}

/**
 * Takes out of the log again what is of an erased life. An erasure sets its tombstone before it goes through the log: what
 * was written before it came by, it takes out; what is written after, meets the tombstone here.
 */
async function withoutErased(
  env: RecommendationEnv,
  application: string,
  users: readonly UserRows[],
  keys: readonly string[],
): Promise<void> {
  const tombstones = unwrap(
    await env.USER.tombstones(application, [...new Set(users.map(({ object }) => object))]),
    "the user service",
  );
  if (tombstones.length === 0) return;
  const erased = new Map(tombstones.map(({ object, generation }) => [object, generation]));
  const gone = users.filter(
    ({ object, generation, rows }) =>
      generation <= (erased.get(object) ?? -1) && rows.some(({ kind }) => kind === "counts"),
  );
  if (gone.length > 0)
    await new UserCountsTable(env.DB).erase(
      application,
      gone.map(({ object }) => object),
    );
  for (const key of keys) await eraseFromObject(env.TRAINING_LOG, key, erased);
}
