type Method = (...args: unknown[]) => PromiseLike<unknown>;

/**
 * Returns bindings whose calls answer in waves: calls that begin before any of them is answered are one wave. `waves()`
 * returns how many waves there were, which is how often a reader waited for a call after another.
 */
export function countedWaves(bindings: { CELL: object; TILES: KVNamespace }) {
  const CELL = bindings.CELL as DurableObjectNamespace;
  const { TILES } = bindings;
  let count = 0;
  let wave: { calls: PromiseLike<unknown>[]; end: Promise<void> } | null = null;
  const endOf = async (calls: readonly PromiseLike<unknown>[]): Promise<void> => {
    // A reader that waits for several promises begins its calls within some turns of the event loop.
    for (let answered = -1; answered < calls.length; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      answered = calls.length;
      await Promise.allSettled(calls);
    }
    wave = null;
  };
  const inWave = async (call: () => PromiseLike<unknown>): Promise<unknown> => {
    if (!wave) {
      count++;
      const calls: PromiseLike<unknown>[] = [];
      wave = { calls, end: endOf(calls) };
    }
    const { calls, end } = wave;
    const answer = call();
    calls.push(answer);
    await end;
    return answer;
  };
  return {
    CELL: {
      idFromName: (name: string) => CELL.idFromName(name),
      get: (id: DurableObjectId, options: DurableObjectNamespaceGetDurableObjectOptions) => {
        const stub = CELL.get(id, options) as unknown as Record<string, Method>;
        return new Proxy({} as Record<string, Method>, {
          get:
            (_, name: string): Method =>
            (...args) =>
              inWave(() => stub[name](...args)),
        });
      },
    },
    TILES: {
      get: (key: string, options: KVNamespaceGetOptions<"arrayBuffer">) =>
        inWave(() => TILES.get(key, options)),
    },
    waves: () => count,
  };
}
