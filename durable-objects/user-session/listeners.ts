import { z } from "zod";

/** A person is listened to by so many WebSockets at most. */
export const maxListeners = 8;

/** What is remembered of a WebSocket: until when it may listen, seconds since the epoch. */
const listener = z.object({ until: z.number() });

const untilOf = (socket: WebSocket): number => listener.parse(socket.deserializeAttachment()).until;

/**
 * The WebSockets of a person. The platform keeps them while the object sleeps. One that was closed from here is counted until
 * its client has agreed to that or is gone, but hears nothing more.
 */
export class Listeners {
  readonly #ctx: DurableObjectState;
  /** Of those that are open, when the first ends, seconds; null where there is none, undefined where that was not asked yet. */
  #firstEnd: number | null | undefined;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  get #open(): WebSocket[] {
    return this.#ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN);
  }

  /** Another one, of which this is the client's end; null where there are as many as there may be. */
  accept(until: number): WebSocket | null {
    if (this.#ctx.getWebSockets().length >= maxListeners) return null;
    const pair = new WebSocketPair();
    this.#ctx.acceptWebSocket(pair[1]);
    pair[1].serializeAttachment({ until });
    this.#firstEnd = undefined;
    return pair[0];
  }

  /** Whether somebody may be there: where there was nobody, only {@link accept} adds one. */
  get any(): boolean {
    return this.firstEnd !== null;
  }

  /** When the first of them is to be ended, seconds since the epoch; null where there is none. */
  get firstEnd(): number | null {
    if (this.#firstEnd === undefined) {
      const ends = this.#open.map(untilOf);
      this.#firstEnd = ends.length === 0 ? null : Math.min(...ends);
    }
    return this.#firstEnd;
  }

  /** Tells all whose credential is valid. */
  tell(text: string, now: number): void {
    this.end(now);
    for (const socket of this.#open) socket.send(text);
  }

  /** Closes those whose credential has ended. */
  end(now: number): void {
    if (this.firstEnd !== null && this.firstEnd > now) return;
    for (const socket of this.#open) if (untilOf(socket) <= now) socket.close(1008, "credential ended");
    this.#firstEnd = undefined;
  }

  /** Closes all of them. */
  endAll(reason: string): void {
    for (const socket of this.#ctx.getWebSockets()) socket.close(1000, reason);
    this.#firstEnd = undefined;
  }
}
