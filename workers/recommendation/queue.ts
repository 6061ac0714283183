import type { z } from "zod";
import { deadLetterKey, retryDelaySeconds } from "../shared/contracts/dead-letter.ts";
import { interactionsMessage, type LocationsMessage, locationsMessage } from "../shared/contracts/queues.ts";
import { deliver } from "./deliver.ts";

/** Keeps a message that cannot be consumed, with its cause. */
async function keep(env: RecommendationEnv, queue: string, message: Message, cause: string): Promise<void> {
  await env.TRAINING_LOG.put(
    deadLetterKey(queue, message.id),
    JSON.stringify({ queue, cause, attempts: message.attempts, time: message.timestamp, body: message.body }),
  );
}

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

/**
 * Consumes a batch: parsed one by one, delivered together by application, acknowledged one by one. A message of no known
 * form is kept and acknowledged; one whose delivery failed comes again, later each time.
 */
async function consume<M extends { application: string }>(
  env: RecommendationEnv,
  batch: MessageBatch,
  schema: z.ZodType<M>,
  work: (application: string, messages: readonly M[]) => Promise<void>,
): Promise<void> {
  const groups = new Map<string, { messages: Message[]; bodies: M[] }>();
  for (const message of batch.messages) {
    const parsed = schema.safeParse(message.body);
    if (!parsed.success) {
      await keep(env, batch.queue, message, parsed.error.message);
      message.ack();
      continue;
    }
    const group = groups.get(parsed.data.application) ?? { messages: [], bodies: [] };
    groups.set(parsed.data.application, group);
    group.messages.push(message);
    group.bodies.push(parsed.data);
  }
  for (const [application, { messages, bodies }] of groups)
    try {
      await work(application, bodies);
      for (const message of messages) message.ack();
    } catch (error) {
      console.error({
        event: "delivery failed",
        queue: batch.queue,
        messages: messages.length,
        error: String(error),
      });
      for (const message of messages) message.retry({ delaySeconds: retryDelaySeconds(message.attempts) });
    }
}

/** Consumes the queues of people's outboxes, and their dead letters. */
export async function queue(batch: MessageBatch, env: RecommendationEnv): Promise<void> {
  if (batch.queue.endsWith("-dead")) {
    for (const message of batch.messages) {
      await keep(env, batch.queue, message, "retries exhausted");
      message.ack();
    }
    return;
  }
  if (batch.queue === "vicinity-locations")
    await consume(env, batch, locationsMessage, (application, messages) =>
      deliverLocations(env, application, messages),
    );
  else
    await consume(env, batch, interactionsMessage, (application, messages) =>
      deliver(env, application, messages),
    );
}
