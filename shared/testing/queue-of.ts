/** Returns a queue that hands each message to `send`, in order, also those of a batch. */
export function queueOf(send: (body: unknown) => Promise<void>): Queue {
  const empty = { backlogCount: 0, backlogBytes: 0 };
  const sent = { metadata: { metrics: empty } };
  return {
    metrics: async () => empty,
    send: async (body) => {
      await send(body);
      return sent;
    },
    sendBatch: async (messages) => {
      for (const { body } of messages) await send(body);
      return sent;
    },
  };
}
