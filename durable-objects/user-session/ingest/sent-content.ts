import { hash53 } from "../../../model/columns/hash.ts";
import type { ReceivedInteraction } from "../../../shared/contracts/event.ts";
import { type EventContent, encodeWorth } from "../../../shared/contracts/event-content.ts";

/**
 * Returns what the client said in an event, as the journal stores it: ids as hashes of 53 bits, and the location at the
 * precision that the user allows, so that the journal holds no more about the user than the event itself.
 */
export const sentContentOf = (event: ReceivedInteraction): EventContent => ({
  type: event.type,
  product: hash53(event.productId),
  time: event.sentTime,
  recommendation: event.recommendationId === null ? null : hash53(event.recommendationId),
  location: event.location && {
    at: hash53(`${event.location.lat} ${event.location.lon}`),
    precision: event.precision,
  },
  worth: encodeWorth(event),
});

/** Encodes content for the journal, in about 60 characters. */
export const encodeContent = ({
  type,
  product,
  time,
  recommendation,
  location,
  worth,
}: EventContent): string =>
  JSON.stringify([
    ...[type, product, time, recommendation, location && [location.at, location.precision]],
    ...(worth === null ? [] : [worth]),
  ]);

/** Decodes the output of {@link encodeContent}. It is not validated, because the user's object wrote it. */
export function decodeContent(text: string): EventContent {
  const [type, product, time, recommendation, location, worth = null] = JSON.parse(text);
  return {
    type,
    product,
    time,
    recommendation,
    location: location && { at: location[0], precision: location[1] },
    worth,
  };
}
