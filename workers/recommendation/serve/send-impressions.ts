import type { UserSession } from "../../../durable-objects/user-session/user-session.ts";
import type { RequestedImpression } from "../../../shared/contracts/impression.ts";
import { errorText } from "../../../shared/errors/error-text.ts";
import { HeldImpressions } from "./held-impressions.ts";

/** An impression that waits to be sent, and its user. */
interface UserImpression extends RequestedImpression {
  application: string;
  userId: string;
}

/** The user's object, as far as impressions need it. */
type Session = Pick<DurableObjectStub<UserSession>, "id" | "recordImpressions">;

const held = new HeldImpressions<UserImpression>({
  // A call holds at most 32 MB. An impression takes up to 100 kB.
  maxHeld: 16,
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  now: Date.now,
});

/** Sends impressions of one user. Never throws: without its impression, a recommendation has no receipt. */
async function send(session: Session, list: UserImpression[]): Promise<void> {
  if (list.length === 0) return;
  const { application, userId } = list[0];
  try {
    await session.recordImpressions(
      application,
      userId,
      list.map(({ impression, requester }) => ({ impression, requester })),
    );
  } catch (error) {
    console.error({ event: "impressions not stored", count: list.length, error: errorText(error) });
  }
}

/** Stores an impression after `delay` milliseconds, in one call with others of the same user. Never throws. */
export const storeImpression = (session: Session, impression: UserImpression, delay: number): Promise<void> =>
  held.hold(session.id.toString(), impression, delay, (list) => send(session, list));

/** Stores the impressions of a user that wait in this isolate. Call it before what needs them. Never throws. */
export const storeHeldImpressions = (session: Session): Promise<void> =>
  send(session, held.take(session.id.toString()));
