import * as z from "zod";
import { epochSeconds } from "./primitives.ts";

/** What the services need to know of who sends a request for a user. The gateway derives it from the credential. */
export const requester = z.strictObject({
  /**
   * Whether the holder of a secret vouches for the user: an admin or server key sends the request, or such a key issued
   * the user's token. Nobody vouches for the user of an anonymous session.
   */
  isVouched: z.boolean(),
  /** Whether the requester may know the place that is stored of the user: their last location and their home. */
  mayKnowPlace: z.boolean(),
  /** Whether the requester may read what the user did. */
  mayReadHistory: z.boolean(),
  /** When the user token was issued, in seconds since the epoch; null for keys. */
  tokenIssuedAt: epochSeconds.nullable(),
  /** Keyed hash of the client's network, for users nobody vouches for; null otherwise. */
  network: z.string().min(1).max(64).nullable(),
});
export type Requester = z.infer<typeof requester>;

/** Vicinity itself, and keys that may act for every user. */
export const trustedRequester: Requester = {
  isVouched: true,
  mayKnowPlace: true,
  mayReadHistory: true,
  tokenIssuedAt: null,
  network: null,
};
