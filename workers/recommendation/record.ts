import { type Recorded, sessionOf } from "../../durable-objects/user-session.ts";
import { decodePerson } from "../../model/person/codec.ts";
import type { EventInput, EventReceipt, Interaction, ProductFacts } from "../shared/contracts/event.ts";
import { fromInstant, type Precision } from "../shared/contracts/primitives.ts";
import type { ProductCard } from "../shared/contracts/product.ts";
import type { InteractionsMessage } from "../shared/contracts/queues.ts";
import { bring } from "./deliver.ts";
import { coarsened } from "./whereabouts.ts";

/** Live events may be a week late and five minutes early. */
const lateSeconds = 7 * 86_400;
const earlySeconds = 300;
/** Events that a person's object takes in one call. */
const eventsPerCall = 1000;
/** People who are told at the same time. */
const peopleAtOnce = 6;

const noFacts: ProductFacts = { cell: null, lat: null, lon: null, category: null, price: null };
const factsOf = (card: ProductCard | undefined): ProductFacts =>
  card
    ? {
        cell: card.cell,
        lat: card.location?.lat ?? null,
        lon: card.location?.lon ?? null,
        category: card.category,
        price: card.price,
      }
    : noFacts;

/** Events of one person, with their places in the request. */
interface PersonEvents {
  userId: string;
  events: { index: number; input: EventInput; time: number }[];
}

function byPerson(events: readonly { index: number; input: EventInput; time: number }[]): PersonEvents[] {
  const people = new Map<string, PersonEvents>();
  for (const each of events) {
    const { userId } = each.input;
    const known = people.get(userId) ?? { userId, events: [] };
    people.set(userId, known);
    known.events.push(each);
  }
  return [...people.values()];
}

/** Cards that the catalogue gives in one call. */
const cardsPerCall = 1000;

/** What the catalogue knows of the products of some events. */
async function factsFor(
  env: RecommendationEnv,
  application: string,
  events: readonly EventInput[],
): Promise<Map<string, ProductCard>> {
  const ids = [...new Set(events.map(({ productId }) => productId))];
  const known = new Map<string, ProductCard>();
  for (let i = 0; i < ids.length; i += cardsPerCall) {
    const cards = await env.PRODUCT.cards(application, ids.slice(i, i + cardsPerCall));
    if (!cards.ok) throw new Error(`the catalogue refused: ${cards.error.detail}`);
    for (const card of cards.value) known.set(card.id, card);
  }
  return known;
}

/** Hands a person their events, their place at the precision that they allow. */
async function tell(
  env: RecommendationEnv,
  application: string,
  { userId, events }: PersonEvents,
  cards: ReadonlyMap<string, ProductCard>,
  deliverRows: boolean,
): Promise<Recorded> {
  const session = sessionOf(env.USER_SESSION, application, userId, events[0].input.location ?? null);
  const placed = events.some(({ input }) => input.location !== undefined);
  const precision: Precision = placed ? await precisionOf(session.state()) : "exact";
  const interactions = await Promise.all(
    events.map(
      async ({ input, time }): Promise<Interaction> => ({
        eventId: input.eventId,
        type: input.type,
        productId: input.productId,
        time,
        recommendationId: input.recommendationId ?? null,
        at: input.location ? await coarsened(env.LOCATION, input.location, precision) : null,
        facts: factsOf(cards.get(input.productId)),
      }),
    ),
  );
  const all: Recorded = { acceptance: [], message: null, listened: false };
  for (let i = 0; i < interactions.length; i += eventsPerCall) {
    const part = interactions.slice(i, i + eventsPerCall);
    const recorded = await session.record(application, userId, part, deliverRows);
    if (!recorded.ok) throw new Error(recorded.error.detail);
    const { acceptance, message, listened } = recorded.value;
    all.acceptance.push(...acceptance);
    all.listened ||= listened;
    if (all.message && message) all.message.rows.push(...message.rows);
    else all.message ??= message;
  }
  return all;
}

async function precisionOf(state: Promise<Uint8Array>): Promise<Precision> {
  const bytes = await state;
  return bytes.byteLength > 0 ? decodePerson(bytes).precision : "exact";
}

async function inTurn<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += peopleAtOnce)
    await Promise.all(items.slice(i, i + peopleAtOnce).map(work));
}

/** Takes live events: each is durable in its person before this answers, or rejected by name. */
export async function record(
  env: RecommendationEnv,
  application: string,
  inputs: readonly EventInput[],
  now: number,
): Promise<{ receipt: EventReceipt; listened: string[] }> {
  const receipt: EventReceipt = { accepted: 0, duplicates: 0, rejected: [], warnings: [] };
  const good: { index: number; input: EventInput; time: number }[] = [];
  inputs.forEach((input, index) => {
    const time = input.timestamp === undefined ? now : fromInstant(input.timestamp);
    if (time < now - lateSeconds || time > now + earlySeconds)
      receipt.rejected.push({
        index,
        error: {
          code: "timestamp_out_of_window",
          message: "Live events are at most 7 days late and 5 minutes early; use the bulk path for history.",
        },
      });
    else good.push({ index, input, time });
  });
  if (good.length === 0) return { receipt, listened: [] };
  const cards = await factsFor(
    env,
    application,
    good.map(({ input }) => input),
  ).catch((error: unknown) => {
    console.error({ event: "catalogue not reached", error: String(error) });
    return null;
  });
  if (cards)
    for (const { index, input } of good)
      if (!cards.has(input.productId)) receipt.warnings.push({ index, code: "unknown_product" });
  const listened: string[] = [];
  await inTurn(byPerson(good), async (person) => {
    try {
      const recorded = await tell(env, application, person, cards ?? new Map(), false);
      for (const each of recorded.acceptance) receipt[each === "accepted" ? "accepted" : "duplicates"]++;
      if (recorded.listened) listened.push(person.userId);
    } catch (error) {
      console.error({ event: "person not reached", error: String(error) });
      for (const { index } of person.events)
        receipt.rejected.push({
          index,
          error: { code: "unavailable", message: "The person cannot be reached now; send it again." },
        });
    }
  });
  receipt.rejected.sort((a, b) => a.index - b.index);
  return { receipt, listened };
}

/**
 * Takes history, without the outbox: the person first, then this caller brings the rows to the records itself and answers
 * only when they are there. Where it dies on the way, nothing was promised; the same events again go the whole way again.
 */
export async function absorb(
  env: RecommendationEnv,
  application: string,
  inputs: readonly EventInput[],
  now: number,
): Promise<{ accepted: number; duplicates: number; rejected: number }> {
  const cards = await factsFor(env, application, inputs);
  const events = inputs.map((input, index) => ({
    index,
    input,
    time: input.timestamp === undefined ? now : fromInstant(input.timestamp),
  }));
  const report = { accepted: 0, duplicates: 0, rejected: 0 };
  const messages: InteractionsMessage[] = [];
  await inTurn(byPerson(events), async (person) => {
    const recorded = await tell(env, application, person, cards, true);
    for (const each of recorded.acceptance) report[each === "accepted" ? "accepted" : "duplicates"]++;
    if (recorded.message) messages.push(recorded.message);
  });
  if (messages.length > 0) await bring(env, application, messages);
  return report;
}
