import type { z } from "zod";
import {
  type DeadLetterWithBody,
  maxAttempts,
  retryDelaySeconds,
} from "../../../shared/contracts/dead-letter.ts";
import {
  type InteractionsMessage,
  interactionsMessage,
  type LocationsMessage,
  locationsMessage,
} from "../../../shared/contracts/queues.ts";
import { ok, type Result, refuse, unwrap } from "../../../shared/contracts/result.ts";
import { causeOf, DeadLetterStore, type FailedMessage } from "../../../shared/dead-letters/store.ts";
import { usersIn, withoutErased } from "../../../shared/dead-letters/users.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { bisectBatch } from "./bisect-batch.ts";
import { Confirmations, type DoneRows } from "./confirmations.ts";
import { bring, byUser } from "./deliver.ts";

/** Brings rows to where they belong. Answers whose they were: they are done, and their people may hear of it. */
async function deliverInteractions(
  env: RecommendationEnv,
  application: string,
  messages: readonly InteractionsMessage[],
): Promise<DoneRows[]> {
  const users = byUser(messages);
  await bring(env, application, users);
  return users;
}

/** {@link deliverInteractions}, for places of people. */
async function deliverLocations(
  env: RecommendationEnv,
  application: string,
  messages: readonly LocationsMessage[],
): Promise<readonly DoneRows[]> {
  unwrap(
    await env.USER.recordLocations(
      application,
      messages.map(({ userId, object, generation, rows }) => ({ userId, object, generation, visits: rows })),
    ),
    "the user service",
  );
  return messages;
}

/**
 * A dying message without what is of erased lives; null where nothing is left. Where the records cannot be asked it stays
 * as it is: what it says meets the tombstones when it is replayed, and when letters are looked through.
 */
async function ofTheLiving(env: RecommendationEnv, message: FailedMessage): Promise<FailedMessage | null> {
  const { body, timestamp, attempts } = message;
  const users = usersIn(body);
  if (!users) return message;
  const asked = await env.USER.tombstones(users.application, users.objects).catch(() => null);
  if (!asked?.ok) return message;
  const left = withoutErased(
    body,
    new Map(asked.value.map(({ object, generation }) => [object, generation])),
  );
  return left === null ? null : { body: left, timestamp, attempts };
}

/** Keeps what the platform gave up, but for erased people. */
async function keepGivenUp(
  env: RecommendationEnv,
  deadLetters: DeadLetterStore,
  queueName: string,
  message: Message,
): Promise<void> {
  const left = await ofTheLiving(env, message);
  if (left) await deadLetters.keepGivenUp(queueName, left);
}

/** Acknowledges a message that was kept as a letter; where it could not be kept, it comes again. */
async function bury(message: Message, keep: Promise<void>): Promise<void> {
  try {
    await keep;
    message.ack();
  } catch (error) {
    console.error({ event: "dead letter not kept", error: errorText(error) });
    message.retry({ delaySeconds: retryDelaySeconds(message.attempts) });
  }
}

/**
 * Consumes a batch: parsed one by one, delivered together by application, acknowledged one by one. A message of no known
 * form is kept and acknowledged; one whose delivery failed comes again, later each time, and leaves the others alone. What
 * fails for the last time is kept with its cause; the platform then moves it to the dead-letter queue.
 */
async function consume<M extends { application: string }>(
  env: RecommendationEnv,
  deadLetters: DeadLetterStore,
  batch: MessageBatch,
  schema: z.ZodType<M>,
  work: (application: string, messages: readonly M[]) => Promise<void>,
): Promise<void> {
  const groups = new Map<string, { message: Message; body: M }[]>();
  for (const message of batch.messages) {
    const parsed = schema.safeParse(message.body);
    if (!parsed.success) {
      await bury(message, deadLetters.keep(batch.queue, message, causeOf(parsed.error)));
      continue;
    }
    const group = groups.get(parsed.data.application) ?? [];
    groups.set(parsed.data.application, group);
    group.push({ message, body: parsed.data });
  }
  for (const [application, group] of groups) {
    const { done, failed } = await bisectBatch(group, (part) =>
      work(
        application,
        part.map(({ body }) => body),
      ),
    );
    for (const { message } of done) message.ack();
    for (const { item, cause } of failed) await again(env, deadLetters, batch.queue, item.message, cause);
  }
}

async function again(
  env: RecommendationEnv,
  deadLetters: DeadLetterStore,
  queue: string,
  message: Message,
  cause: string,
): Promise<void> {
  console.error({ event: "delivery failed", queue, attempts: message.attempts, error: cause });
  if (message.attempts >= maxAttempts)
    await ofTheLiving(env, message)
      .then((left) => (left ? deadLetters.keep(queue, left, cause) : undefined))
      .catch((error: unknown) => console.error({ event: "dead letter not kept", error: errorText(error) }));
  message.retry({ delaySeconds: retryDelaySeconds(message.attempts) });
}

/** Consumes a batch of the queues of people's outboxes, or of their dead letters, and notes whose rows are done. */
export async function consumeBatch(
  batch: MessageBatch,
  env: RecommendationEnv,
  confirmations: Confirmations,
): Promise<void> {
  const deadLetters = new DeadLetterStore(env.TRAINING_LOG);
  if (batch.queue.endsWith("-dead")) {
    for (const message of batch.messages)
      await bury(message, keepGivenUp(env, deadLetters, batch.queue, message));
    return;
  }
  if (batch.queue === "vicinity-locations")
    await consume(env, deadLetters, batch, locationsMessage, async (application, messages) =>
      confirmations.add(await deliverLocations(env, application, messages)),
    );
  else
    await consume(env, deadLetters, batch, interactionsMessage, async (application, messages) =>
      confirmations.add(await deliverInteractions(env, application, messages)),
    );
}

/** {@link consumeBatch}, whose people then hear of it. Who is not reached sends their rows again, which bring nothing new. */
export async function queue(batch: MessageBatch, env: RecommendationEnv): Promise<void> {
  const confirmations = new Confirmations(env.USER_SESSION);
  await consumeBatch(batch, env, confirmations);
  await confirmations
    .tell()
    .catch((error: unknown) => console.error({ event: "rows not confirmed", error: errorText(error) }));
}

/** Does what a dead letter's message asks for. */
export async function redeliver(
  env: RecommendationEnv,
  { queue, body }: DeadLetterWithBody,
): Promise<Result<null>> {
  const formless = refuse("conflict", "Its message has no known form: it can be discarded, not delivered.");
  const confirmations = new Confirmations(env.USER_SESSION);
  if (queue === "locations") {
    const parsed = locationsMessage.safeParse(body);
    if (!parsed.success) return formless;
    confirmations.add(await deliverLocations(env, parsed.data.application, [parsed.data]));
  } else {
    const parsed = interactionsMessage.safeParse(body);
    if (!parsed.success) return formless;
    confirmations.add(await deliverInteractions(env, parsed.data.application, [parsed.data]));
  }
  await confirmations.tell();
  return ok(null);
}
