/**
 * Headers by which the gateway names the person of a WebSocket to the recommendation service. The gateway
 * removes them from what comes from outside, so whoever reads them may trust them.
 */
export const liveHeaders = {
  application: "x-vicinity-application",
  userId: "x-vicinity-user",
  /** When the WebSocket ends, seconds since the epoch. */
  until: "x-vicinity-until",
} as const;
