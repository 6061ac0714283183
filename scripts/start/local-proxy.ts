import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import { pipeline } from "node:stream";
import { isLocalHost, proxySecretHeader } from "../../workers/gateway/keys/development-keys.ts";

/** Where the workers listen, and the secret that tells them which requests came through the proxy. */
export interface LocalProxyTarget {
  /** Port of `wrangler dev` on this machine. */
  port: number;
  secret: string;
}

/** Milliseconds after which an idle connection to the workers is closed. workerd closes its side after 5 s. */
const idleUpstreamMs = 3_000;
/** Milliseconds for which a client's idle connection stays open. */
const idleClientMs = 65_000;
const maxHeaderBytes = 65_536;

/** Headers of one connection, and `expect`, which the proxy answers itself. */
const connectionHeaders = new Set(["connection", "keep-alive", "proxy-connection", "expect"]);
/** The one header of `wrangler dev` that clients may send: it sets `request.cf`, which holds the edge's location. */
const locationHeader = "mf-cf-blob";

/** Returns the headers of a raw list as pairs of name and value. */
const pairsOf = (raw: readonly string[]): [name: string, value: string][] =>
  Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i] ?? "", raw[2 * i + 1] ?? ""]);

/** Returns the headers without those of one connection. */
const endToEnd = (raw: readonly string[]): [name: string, value: string][] =>
  pairsOf(raw).filter(([name]) => !connectionHeaders.has(name.toLowerCase()));

/** Returns whether a client addressed this machine by a local name. A page that gave its own name the address 127.0.0.1 did not. */
function addressesThisMachine({ rawHeaders, url }: IncomingMessage): boolean {
  const hosts = pairsOf(rawHeaders).filter(([name]) => name.toLowerCase() === "host");
  return hosts.length === 1 && isLocalHost(hosts[0]?.[1] ?? "") && url?.startsWith("/") === true;
}

/**
 * Returns the headers that the workers receive. `wrangler dev` believes headers that begin with `mf-`: `mf-original-url`
 * would replace the host, so they are dropped. The secret is added where the host is local.
 */
function forwardedHeaders(incoming: IncomingMessage, secret: string): string[] {
  const kept = endToEnd(incoming.rawHeaders).filter(([name]) => {
    const lower = name.toLowerCase();
    return lower !== proxySecretHeader && (!lower.startsWith("mf-") || lower === locationHeader);
  });
  if (addressesThisMachine(incoming)) kept.push([proxySecretHeader, secret]);
  const hasLength = ["content-length", "transfer-encoding"].some((name) => name in incoming.headers);
  if (!hasLength && incoming.method === "POST") kept.push(["content-length", "0"]);
  return kept.flat();
}

const unavailable = JSON.stringify({
  type: "about:blank",
  title: "Service unavailable",
  status: 503,
  detail: "The workers are starting or have stopped; try again.",
  code: "unavailable",
  requestId: "",
});

function answerUnavailable(answer: ServerResponse): void {
  if (answer.headersSent) answer.destroy();
  else
    answer
      .writeHead(503, { "content-type": "application/problem+json", "retry-after": "1" })
      .end(unavailable);
}

/** Returns the status line and the headers of a response as text. */
const headOf = ({ statusCode, statusMessage }: IncomingMessage, headers: [string, string][]): string =>
  [
    `HTTP/1.1 ${statusCode} ${statusMessage}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    "",
    "",
  ].join("\r\n");

/**
 * Returns the server of a local instance. It passes HTTP requests and WebSockets on to `wrangler dev`, and tells it by a
 * secret header which requests were sent to a local name: `wrangler dev` lets a client replace the host that workers see.
 */
export function createLocalProxy({ port, secret }: LocalProxyTarget): Server {
  const agent = new Agent({ keepAlive: true, timeout: idleUpstreamMs });
  const send = (incoming: IncomingMessage, headers: string[], own: Agent | false) =>
    request({
      host: "127.0.0.1",
      port,
      agent: own,
      method: incoming.method,
      path: incoming.url,
      headers,
      setHost: false,
    });
  const server = createServer({
    keepAliveTimeout: idleClientMs,
    requestTimeout: 0,
    maxHeaderSize: maxHeaderBytes,
  });

  server.on("request", (incoming, answer) => {
    const upstream = send(incoming, forwardedHeaders(incoming, secret), agent);
    upstream.on("response", (response) => {
      const headers = endToEnd(response.rawHeaders).flat();
      answer.writeHead(response.statusCode ?? 502, response.statusMessage, headers);
      pipeline(response, answer, () => undefined);
    });
    upstream.on("error", () => answerUnavailable(answer));
    // The client went away, or the workers answered before they had read the whole body.
    answer.on("close", () => {
      if (answer.writableFinished && upstream.writableFinished) return;
      incoming.unpipe(upstream);
      incoming.resume();
      upstream.destroy();
    });
    incoming.pipe(upstream);
  });

  server.on("upgrade", (incoming, socket, head) => {
    const upstream = send(incoming, [...forwardedHeaders(incoming, secret), "connection", "Upgrade"], false);
    upstream.on("upgrade", (response, workers, first) => {
      socket.write(headOf(response, pairsOf(response.rawHeaders)));
      socket.write(first);
      workers.write(head);
      pipeline(socket, workers, socket, () => undefined);
    });
    upstream.on("response", (response) => {
      const headers = endToEnd(response.rawHeaders).filter(
        ([name]) => name.toLowerCase() !== "transfer-encoding",
      );
      socket.write(headOf(response, [...headers, ["connection", "close"]]));
      pipeline(response, socket, () => undefined);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
    upstream.end();
  });
  return server;
}
