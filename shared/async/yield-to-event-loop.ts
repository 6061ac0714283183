/** Lets other requests of the isolate run: CPU-bound loops call this between their parts. */
export const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
