import { z } from "zod";

/** Maximum number of WebSockets per user. */
export const maxListeners = 8;

/** The attachment of a WebSocket: when its credential expires, seconds since the epoch. */
const listener = z.object({ until: z.number() });

const expiryOf = (socket: WebSocket): number => listener.parse(socket.deserializeAttachment()).until;

/**
 * The WebSockets of a user, which the platform keeps open while the object hibernates. A WebSocket that this class
 * closed counts toward {@link maxListeners} until its client confirms or disconnects, but receives no more messages.
 */
export class Listeners {
  readonly #ctx: DurableObjectState;
  /**
   * When the first credential of an open WebSocket expires, seconds; null if none is open, undefined until it is read.
   */
  #firstExpiry: number | null | undefined;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  get #open(): WebSocket[] {
    return this.#ctx.getWebSockets().filter(({ readyState }) => readyState === WebSocket.OPEN);
  }

  /**
   * Accepts a WebSocket until `until`, seconds since the epoch. Returns the client's end; null if there are too many.
   */
  accept(until: number): WebSocket | null {
    if (this.#ctx.getWebSockets().length >= maxListeners) return null;
    const pair = new WebSocketPair();
    this.#ctx.acceptWebSocket(pair[1]);
    pair[1].serializeAttachment({ until });
    this.#firstExpiry = undefined;
    return pair[0];
  }

  /** Returns whether a WebSocket may be open. */
  get hasOpen(): boolean {
    return this.firstExpiry !== null;
  }

  /** Returns when the first credential expires, seconds since the epoch; null if no WebSocket is open. */
  get firstExpiry(): number | null {
    if (this.#firstExpiry === undefined) {
      const expiries = this.#open.map(expiryOf);
      this.#firstExpiry = expiries.length === 0 ? null : Math.min(...expiries);
    }
    return this.#firstExpiry;
  }

  /** Sends a text to all WebSockets whose credential is valid. */
  send(text: string, now: number): void {
    this.closeExpired(now);
    for (const socket of this.#open) socket.send(text);
  }

  /** Closes WebSockets whose credential has expired. */
  closeExpired(now: number): void {
    if (this.firstExpiry !== null && this.firstExpiry > now) return;
    for (const socket of this.#open) if (expiryOf(socket) <= now) socket.close(1008, "credential ended");
    this.#firstExpiry = undefined;
  }

  /** Closes all WebSockets. */
  closeAll(reason: string): void {
    for (const socket of this.#ctx.getWebSockets()) socket.close(1000, reason);
    this.#firstExpiry = undefined;
  }
}
