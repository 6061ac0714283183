/** Names that a WebSocket client may offer beside its credential; they carry none. */
const protocolNames = new Set(["vicinity", "bearer"]);
const protocolPrefix = "bearer.";

const offered = (headers: Headers): string[] =>
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
  const token = offered(headers).find((name) => !protocolNames.has(name));
  return token?.replace(protocolPrefix, "") ?? null;
}

/** The subprotocol to agree to: a name that was offered, else the first offer; null where there was none. */
export function agreedProtocol(headers: Headers): string | null {
  const names = offered(headers);
  return names.find((name) => protocolNames.has(name)) ?? names[0] ?? null;
}
