import type { UserRows } from "../../../shared/contracts/queues.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { interactionsMessages } from "../../../shared/queues/split-messages.ts";

/** Enqueues outbox rows. User objects keep each row until it is confirmed, and their alarms retry a failed send. */
export async function sendRows(
  queue: RecommendationEnv["INTERACTIONS"],
  application: string,
  users: readonly UserRows[],
): Promise<void> {
  const messages = interactionsMessages(application, users);
  try {
    if (messages.length === 1) await queue.send(messages[0]);
    else if (messages.length > 1) await queue.sendBatch(messages.map((body) => ({ body })));
  } catch (error) {
    console.error({ event: "outbox rows not enqueued", messages: messages.length, error: errorText(error) });
  }
}
