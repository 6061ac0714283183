/** Subprotocols that a WebSocket client may offer in addition to its credential. */
const subprotocolNames = new Set(["vicinity", "bearer"]);
/** A client may put this prefix before its credential. */
const tokenPrefix = "bearer.";

const offeredSubprotocols = (headers: Headers): string[] =>
  (headers.get("sec-websocket-protocol") ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

/**
 * Returns the credential of a request, or null where it has none. The header `Authorization: Bearer ...` holds it.
 * A browser cannot set headers of a WebSocket, and offers the credential as a subprotocol instead:
 * `new WebSocket(url, ["vicinity", token])`.
 */
export function credentialOf(headers: Headers): string | null {
  const bearer = /^bearer +(\S+)$/i.exec(headers.get("authorization")?.trim() ?? "");
  if (bearer) return bearer[1];
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") return null;
  const token = offeredSubprotocols(headers).find((name) => !subprotocolNames.has(name));
  return token?.replace(tokenPrefix, "") ?? null;
}

/**
 * Returns the subprotocol for the response to a WebSocket request: an offered name, otherwise the first offer, or null
 * where the client offered none. A browser closes the connection where the response names a subprotocol that it did not
 * offer.
 */
export function negotiatedSubprotocol(headers: Headers): string | null {
  const names = offeredSubprotocols(headers);
  return names.find((name) => subprotocolNames.has(name)) ?? names[0] ?? null;
}
