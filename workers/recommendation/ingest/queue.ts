import type * as z from "zod";
import { mapConcurrent } from "../../../shared/async/map-concurrent.ts";
import {
  type DeadLetterWithBody,
  maxDeliveries,
  retryDelaySeconds,
} from "../../../shared/contracts/dead-letter.ts";
import {
  type InteractionsMessage,
  interactionsMessage,
  type LocationsMessage,
  locationsMessage,
} from "../../../shared/contracts/queues.ts";
import { ok, type Result, refuse, unwrap } from "../../../shared/contracts/result.ts";
import {
  DeadLetterStore,
  type FailedMessage,
  validationCause,
} from "../../../shared/dead-letters/dead-letter-store.ts";
import { messageWithoutErased, usersInMessage } from "../../../shared/dead-letters/message-users.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { bisectBatch } from "./bisect-batch.ts";
import { CallBudget } from "./call-budget.ts";
import { Confirmations, type DeliveredRows } from "./confirmations.ts";
import { deliverRows, mergeByUser } from "./deliver-rows.ts";
import { endedGenerations } from "./ended-generations.ts";
import { respectConsentOfMessage, respectConsentOfVisits } from "./respect-consent.ts";

/**
 * Applications of a batch whose messages are delivered, at the same time; those of others are sent again. One application
 * takes up to 9 calls of other workers, and a request may make 32.
 */
const maxApplicationsPerBatch = 3;

/** Delivers the rows of interaction messages. Returns the delivered rows, which can now be confirmed. */
async function deliverInteractions(
  env: RecommendationEnv,
  application: string,
  messages: readonly InteractionsMessage[],
): Promise<DeliveredRows[]> {
  const users = mergeByUser(messages);
  await deliverRows(env, application, users);
  return users;
}

/** Stores the visits of location messages. Returns the delivered rows, which can now be confirmed. */
async function deliverLocations(
  env: RecommendationEnv,
  application: string,
  messages: readonly LocationsMessage[],
): Promise<readonly DeliveredRows[]> {
  unwrap(
    await env.USER.recordLocations(
      application,
      await respectConsentOfVisits(
        env,
        application,
        messages.map(({ userId, pseudonym, generation, rows }) => ({
          ...{ userId, pseudonym, generation },
          visits: rows,
        })),
      ),
    ),
    "the user service",
  );
  return messages;
}

/**
 * Returns a failed message without the rows of erased users, and of merged users, whose rows were all stored before the
 * merge; null if nothing is left. If the user service does not answer, the message is unchanged: a replay and the
 * erasure's scan of dead-letter messages check the tombstones again.
 */
async function withoutEndedUsers(
  env: RecommendationEnv,
  message: FailedMessage,
): Promise<FailedMessage | null> {
  const { body, timestamp, attempts } = message;
  const users = usersInMessage(body);
  if (!users) return message;
  const tombstones = await env.USER.findTombstones(users.application, users.pseudonyms).catch(() => null);
  if (!tombstones?.ok) return message;
  const remaining = messageWithoutErased(body, endedGenerations(tombstones.value));
  return remaining === null ? null : { body: remaining, timestamp, attempts };
}

/**
 * Returns a failed message as it may be stored: without the rows of erased and merged users, and as coarse as the
 * consent of the others, which may have been lowered while the message waited. Returns null if nothing is left. Throws if
 * the services that know the consent do not answer.
 */
async function storableMessage(
  env: RecommendationEnv,
  message: FailedMessage,
): Promise<FailedMessage | null> {
  const remaining = await withoutEndedUsers(env, message);
  if (remaining === null) return null;
  const body = await respectConsentOfMessage(env, remaining.body);
  return body === null ? null : { ...remaining, body };
}

/** Stores a message of a dead-letter queue, as far as it may be stored. */
async function keepDeadLetter(
  env: RecommendationEnv,
  deadLetters: DeadLetterStore,
  queueName: string,
  message: Message,
): Promise<void> {
  const remaining = await storableMessage(env, message);
  if (remaining) await deadLetters.keepExhausted(queueName, remaining);
}

/**
 * Acknowledges a message after it is stored as a dead-letter message; retries the message if it could not be stored.
 */
async function acknowledgeOnceKept(message: Message, keep: Promise<void>): Promise<void> {
  try {
    await keep;
    message.ack();
  } catch (error) {
    console.error({ event: "dead-letter message not stored", error: errorText(error) });
    message.retry({ delaySeconds: retryDelaySeconds(message.attempts) });
  }
}

/**
 * Parses the messages of a batch, delivers those of at most {@link maxApplicationsPerBatch} applications, and
 * acknowledges each one; those of other applications are sent again. A message of an unknown form is stored as a
 * dead-letter message and acknowledged. A message whose delivery fails is retried, with a growing delay, without
 * affecting the others. After its last attempt it is stored as a dead-letter message with its cause; the platform then
 * moves it to the dead-letter queue.
 */
async function deliverMessages<M extends { application: string }>(
  env: RecommendationEnv,
  deadLetters: DeadLetterStore,
  batch: MessageBatch,
  schema: z.ZodType<M>,
  deliver: (application: string, messages: readonly M[]) => Promise<void>,
  budget: CallBudget,
): Promise<void> {
  const groups = new Map<string, { message: Message; body: M }[]>();
  for (const message of batch.messages) {
    const parsed = schema.safeParse(message.body);
    if (!parsed.success) {
      await acknowledgeOnceKept(
        message,
        deadLetters.keep(batch.queue, message, validationCause(parsed.error)),
      );
      continue;
    }
    const group = groups.get(parsed.data.application) ?? [];
    groups.set(parsed.data.application, group);
    group.push({ message, body: parsed.data });
  }
  // The messages that were sent again most often come first, so that no application waits for ever.
  const attemptsOf = (group: { message: Message }[]): number =>
    Math.max(...group.map(({ message }) => message.attempts));
  const sorted = [...groups].sort(([, a], [, b]) => attemptsOf(b) - attemptsOf(a));
  for (const [, group] of sorted.slice(maxApplicationsPerBatch))
    for (const { message } of group) message.retry();
  // At the same time, so that a large or failing application does not keep the messages of others waiting.
  const delivered = sorted.slice(0, maxApplicationsPerBatch);
  await mapConcurrent(maxApplicationsPerBatch, delivered, async ([application, group]) => {
    const { done, failed } = await bisectBatch(
      group,
      (part) =>
        deliver(
          application,
          part.map(({ body }) => body),
        ),
      budget.mayTry,
    );
    for (const { message } of done) message.ack();
    for (const { item, cause } of failed)
      await retryLater(env, deadLetters, batch.queue, item.message, cause);
  });
}

/** Retries a message later. After its last attempt, also stores it as a dead-letter message. */
async function retryLater(
  env: RecommendationEnv,
  deadLetters: DeadLetterStore,
  queueName: string,
  message: Message,
  cause: string,
): Promise<void> {
  console.error({ event: "delivery failed", queue: queueName, attempts: message.attempts, error: cause });
  if (message.attempts >= maxDeliveries)
    await storableMessage(env, message)
      .then((remaining) => (remaining ? deadLetters.keep(queueName, remaining, cause) : undefined))
      .catch((error: unknown) =>
        console.error({ event: "dead-letter message not stored", error: errorText(error) }),
      );
  message.retry({ delaySeconds: retryDelaySeconds(message.attempts) });
}

/** Consumes a batch of an outbox queue or of its dead-letter queue, and adds the delivered rows to `confirmations`. */
export async function consumeBatch(
  batch: MessageBatch,
  uncounted: RecommendationEnv,
  confirmations: Confirmations,
): Promise<void> {
  const budget = new CallBudget();
  const env = budget.count(uncounted);
  const deadLetters = new DeadLetterStore(env.DEAD_LETTERS);
  if (batch.queue.endsWith("-dead")) {
    for (const message of batch.messages)
      await acknowledgeOnceKept(message, keepDeadLetter(env, deadLetters, batch.queue, message));
    return;
  }
  if (batch.queue === "vicinity-locations")
    await deliverMessages(
      env,
      deadLetters,
      batch,
      locationsMessage,
      async (application, messages) => confirmations.add(await deliverLocations(env, application, messages)),
      budget,
    );
  else
    await deliverMessages(
      env,
      deadLetters,
      batch,
      interactionsMessage,
      async (application, messages) =>
        confirmations.add(await deliverInteractions(env, application, messages)),
      budget,
    );
}

/**
 * Consumes a batch and confirms its rows to their user objects. A user object that is not reached sends its rows again,
 * and delivering them again changes nothing.
 */
export async function consumeAndConfirm(batch: MessageBatch, env: RecommendationEnv): Promise<void> {
  const confirmations = new Confirmations(env.USER_SESSION);
  await consumeBatch(batch, env, confirmations);
  await confirmations
    .send()
    .catch((error: unknown) => console.error({ event: "rows not confirmed", error: errorText(error) }));
}

/**
 * Delivers a dead-letter message again. Refuses with `conflict` if the message does not match the schema of its queue.
 */
export async function redeliverRows(
  env: RecommendationEnv,
  { queue, body }: DeadLetterWithBody,
): Promise<Result<null>> {
  const invalidMessage = refuse(
    "conflict",
    "The message does not match the schema of its queue; discard the message.",
  );
  const confirmations = new Confirmations(env.USER_SESSION);
  if (queue === "locations") {
    const parsed = locationsMessage.safeParse(body);
    if (!parsed.success) return invalidMessage;
    confirmations.add(await deliverLocations(env, parsed.data.application, [parsed.data]));
  } else {
    const parsed = interactionsMessage.safeParse(body);
    if (!parsed.success) return invalidMessage;
    confirmations.add(await deliverInteractions(env, parsed.data.application, [parsed.data]));
  }
  await confirmations.send();
  return ok(null);
}
