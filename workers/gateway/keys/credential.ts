/** Names that a WebSocket client may offer beside its credential; they carry none. */
const subprotocolNames = new Set(["vicinity", "bearer"]);
const tokenPrefix = "bearer.";

const offeredSubprotocols = (headers: Headers): string[] =>
  (headers.get("sec-websocket-protocol") ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

/**
 * The credential of a request: `Authorization: Bearer ...`, or for a WebSocket, whose browser API cannot set
 * headers, the offered subprotocol (`new WebSocket(url, ["vicinity", token])`). Null where there is none.
 */
export function credentialOf(headers: Headers): string | null {
  const bearer = /^bearer +(\S+)$/i.exec(headers.get("authorization")?.trim() ?? "");
  if (bearer) return bearer[1];
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") return null;
  const token = offeredSubprotocols(headers).find((name) => !subprotocolNames.has(name));
  return token?.replace(tokenPrefix, "") ?? null;
}

/** The subprotocol to agree to: a name that was offered, else the first offer; null where there was none. */
export function negotiatedSubprotocol(headers: Headers): string | null {
  const names = offeredSubprotocols(headers);
  return names.find((name) => subprotocolNames.has(name)) ?? names[0] ?? null;
}
