/**
 * Headers that name the user of a WebSocket. The gateway sets them when it forwards the upgrade to the recommendation
 * worker, and removes them from client requests. The recommendation worker can therefore trust them.
 */
export const liveHeaders = {
  application: "x-vicinity-application",
  /** Percent-encoded, because a header value must be ASCII. */
  userId: "x-vicinity-user",
  /** When the WebSocket closes, in seconds since the epoch. */
  until: "x-vicinity-until",
  /** `yes` if the holder of the credential may know the user's place; else the lists do not tell it. */
  mayKnowPlace: "x-vicinity-may-know-place",
  /** `yes` if the holder of a secret vouches for the user, as `Requester` says. */
  isVouched: "x-vicinity-vouched",
  /** When the user token was issued, in seconds since the epoch; absent for keys. */
  tokenIssuedAt: "x-vicinity-token-issued",
} as const;
