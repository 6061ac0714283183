import type { z } from "zod";
import { mostAttempts, type OpenedLetter, retryDelaySeconds } from "../shared/contracts/dead-letter.ts";
import { interactionsMessage, type LocationsMessage, locationsMessage } from "../shared/contracts/queues.ts";
import { ok, type Result, refuse } from "../shared/contracts/result.ts";
import { causeOf, DeadLetters } from "../shared/dead-letters/dead-letters.ts";
import { deliver } from "./deliver.ts";
import { together } from "./together.ts";

/** Places of people: to the records, then confirmed. */
async function deliverLocations(
  env: RecommendationEnv,
  application: string,
  messages: readonly LocationsMessage[],
): Promise<void> {
  const recorded = await env.USER.recordLocations(
    application,
    messages.map(({ userId, rows }) => ({ userId, visits: rows })),
  );
  if (!recorded.ok) throw new Error(`the records refused: ${recorded.error.detail}`);
  for (const { object, rows } of messages)
    await env.USER_SESSION.get(env.USER_SESSION.idFromString(object)).confirm(rows.map(({ seq }) => seq));
}

/** Acknowledges a message that was kept as a letter; where it could not be kept, it comes again. */
async function bury(message: Message, keep: Promise<void>): Promise<void> {
  try {
    await keep;
    message.ack();
  } catch (error) {
    console.error({ event: "dead letter not kept", error: String(error) });
    message.retry({ delaySeconds: retryDelaySeconds(message.attempts) });
  }
}

/**
 * Consumes a batch: parsed one by one, delivered together by application, acknowledged one by one. A message of no known
 * form is kept and acknowledged; one whose delivery failed comes again, later each time, and leaves the others alone. What
 * fails for the last time is kept with its cause; the platform then moves it to the dead-letter queue.
 */
async function consume<M extends { application: string }>(
  letters: DeadLetters,
  batch: MessageBatch,
  schema: z.ZodType<M>,
  work: (application: string, messages: readonly M[]) => Promise<void>,
): Promise<void> {
  const groups = new Map<string, { message: Message; body: M }[]>();
  for (const message of batch.messages) {
    const parsed = schema.safeParse(message.body);
    if (!parsed.success) {
      await bury(message, letters.keep(batch.queue, message, causeOf(parsed.error)));
      continue;
    }
    const group = groups.get(parsed.data.application) ?? [];
    groups.set(parsed.data.application, group);
    group.push({ message, body: parsed.data });
  }
  for (const [application, group] of groups) {
    const { done, failed } = await together(group, (part) =>
      work(
        application,
        part.map(({ body }) => body),
      ),
    );
    for (const { message } of done) message.ack();
    for (const { item, cause } of failed) await again(letters, batch.queue, item.message, cause);
  }
}

async function again(letters: DeadLetters, queue: string, message: Message, cause: string): Promise<void> {
  console.error({ event: "delivery failed", queue, attempts: message.attempts, error: cause });
  if (message.attempts >= mostAttempts)
    await letters
      .keep(queue, message, cause)
      .catch((error: unknown) => console.error({ event: "dead letter not kept", error: String(error) }));
  message.retry({ delaySeconds: retryDelaySeconds(message.attempts) });
}

/** Consumes the queues of people's outboxes, and their dead letters. */
export async function queue(batch: MessageBatch, env: RecommendationEnv): Promise<void> {
  const letters = new DeadLetters(env.TRAINING_LOG);
  if (batch.queue.endsWith("-dead")) {
    for (const message of batch.messages) await bury(message, letters.keepGivenUp(batch.queue, message));
    return;
  }
  if (batch.queue === "vicinity-locations")
    await consume(letters, batch, locationsMessage, (application, messages) =>
      deliverLocations(env, application, messages),
    );
  else
    await consume(letters, batch, interactionsMessage, (application, messages) =>
      deliver(env, application, messages),
    );
}

/** Does what a dead letter's message asks for. */
export async function redeliver(
  env: RecommendationEnv,
  { queue, body }: OpenedLetter,
): Promise<Result<null>> {
  const formless = refuse("conflict", "Its message has no known form: it can be discarded, not delivered.");
  if (queue === "locations") {
    const parsed = locationsMessage.safeParse(body);
    if (!parsed.success) return formless;
    await deliverLocations(env, parsed.data.application, [parsed.data]);
  } else {
    const parsed = interactionsMessage.safeParse(body);
    if (!parsed.success) return formless;
    await deliver(env, parsed.data.application, [parsed.data]);
  }
  return ok(null);
}
