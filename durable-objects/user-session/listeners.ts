import * as z from "zod";
import { liveHeaders } from "../../shared/contracts/live.ts";

/** Maximum number of WebSockets per user. */
export const maxListeners = 8;

/**
 * The attachment of a WebSocket: when its credential expires, seconds since the epoch, whether its holder may know the
 * user's place, and whether somebody vouches for the user.
 */
const listener = z.object({
  until: z.number(),
  mayKnowPlace: z.boolean().default(false),
  isVouched: z.boolean().default(false),
});
export type Listener = z.infer<typeof listener>;
/** What decides which recommendations a WebSocket receives, and how they count. */
export type ListenerRights = Omit<Listener, "until">;

/** Returns the listener that the gateway describes in headers, and when its token was issued; null without a token. */
export function listenerOfRequest(headers: Headers): Listener & { tokenIssuedAt: number | null } {
  const issued = headers.get(liveHeaders.tokenIssuedAt);
  return {
    until: z.coerce.number().positive().parse(headers.get(liveHeaders.until)),
    mayKnowPlace: headers.get(liveHeaders.mayKnowPlace) === "yes",
    isVouched: headers.get(liveHeaders.isVouched) === "yes",
    tokenIssuedAt: issued === null ? null : z.coerce.number().parse(issued),
  };
}

const listenerOf = (socket: WebSocket): Listener => listener.parse(socket.deserializeAttachment());
const hasSameRights = (a: ListenerRights, b: ListenerRights): boolean =>
  a.mayKnowPlace === b.mayKnowPlace && a.isVouched === b.isVouched;
const expiryOf = (socket: WebSocket): number => listenerOf(socket).until;

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

  /** Accepts a WebSocket. Returns the client's end; null if there are too many. */
  accept(attachment: Listener): WebSocket | null {
    if (this.#ctx.getWebSockets().length >= maxListeners) return null;
    const pair = new WebSocketPair();
    this.#ctx.acceptWebSocket(pair[1]);
    pair[1].serializeAttachment(attachment);
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

  /** Returns the rights of the open WebSockets, each once. */
  get rights(): ListenerRights[] {
    const rights = this.#open.map(listenerOf);
    return rights
      .filter((each, i) => rights.findIndex((other) => hasSameRights(each, other)) === i)
      .map(({ mayKnowPlace, isVouched }) => ({ mayKnowPlace, isVouched }));
  }

  /** Sends a text to the WebSockets with these rights whose credential is valid. */
  send(text: string, rights: ListenerRights, now: number): void {
    this.closeExpired(now);
    for (const socket of this.#open) if (hasSameRights(listenerOf(socket), rights)) socket.send(text);
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
