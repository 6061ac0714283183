import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { createLocalProxy } from "./local-proxy.ts";

const secret = "s".repeat(64);
const servers: Server[] = [];

async function listen(server: Server): Promise<number> {
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Starts workers that answer by `handle`, and a proxy in front of them. Returns what they received, and the proxy's port. */
async function startProxy(handle?: Parameters<typeof createServer>[1]) {
  const received: IncomingMessage[] = [];
  const workers = createServer((request, answer) => {
    received.push(request);
    if (handle) handle(request, answer as never);
    else answer.end("answered");
  });
  const target = { port: await listen(workers), secret };
  return { received, workers, port: await listen(createLocalProxy(target)) };
}

/** Sends lines as they are, and returns all that is answered until the connection is closed. */
async function sendRaw(port: number, ...lines: string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write([...lines, "connection: close", "", ""].join("\r\n"));
  return text(socket);
}

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe("createLocalProxy", () => {
  it("S6: adds the secret for local names only, and drops what would replace the host", async () => {
    const { received, port } = await startProxy();
    const secretFor = async (...headers: string[]) => {
      expect(await sendRaw(port, "GET /v1/users HTTP/1.1", ...headers)).toMatch(/^HTTP\/1\.1 200/);
      const last = received.at(-1)?.headers ?? {};
      expect(Object.keys(last).filter((name) => name.startsWith("mf-") && name !== "mf-cf-blob")).toEqual([]);
      return last["x-local-proxy-secret"];
    };
    for (const host of ["localhost", "localhost:8787", "127.0.0.1:1", "[::1]:8787"])
      expect(await secretFor(`Host: ${host}`), host).toBe(secret);
    for (const host of [
      "evil.example:8787",
      "localhost.evil.example",
      "127.0.0.1.nip.io",
      "localhost@evil.example",
    ]) {
      expect(await secretFor(`Host: ${host}`), host).toBeUndefined();
      const forged = "MF-Original-URL: http://localhost:8787/v1/users";
      expect(await secretFor(`Host: ${host}`, forged), host).toBeUndefined();
      expect(await secretFor(`Host: ${host}`, "X-Local-Proxy-Secret: guess"), host).toBeUndefined();
    }
    expect(await secretFor("Host: localhost", "mf-cf-blob: {}")).toBe(secret);
    expect(received.at(-1)?.headers["mf-cf-blob"]).toBe("{}");
    expect(received.at(-1)?.headers.host).toBe("localhost");
    await sendRaw(port, "GET http://evil.example/ HTTP/1.1", "Host: localhost");
    expect(received.at(-1)?.headers["x-local-proxy-secret"]).toBeUndefined();
  });

  it("passes method, path, headers, body and status on, in both directions", async () => {
    const { received, port } = await startProxy(async (request, answer) => {
      const body = await text(request);
      answer
        .writeHead(207, "Several", { "x-one": "1", "set-cookie": ["a=1", "b=2"] })
        .end(body.toUpperCase());
    });
    const large = "x".repeat(3_000_000);
    const answer = await fetch(`http://127.0.0.1:${port}/a%2Fb?c=d`, { method: "PATCH", body: large });
    expect([answer.status, answer.statusText, answer.headers.get("x-one")]).toEqual([207, "Several", "1"]);
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(await answer.text()).toBe(large.toUpperCase());
    expect([received[0]?.method, received[0]?.url]).toEqual(["PATCH", "/a%2Fb?c=d"]);
    const streamed = await fetch(`http://127.0.0.1:${port}/`, {
      method: "PUT",
      body: new Blob(["streamed"]).stream(),
      duplex: "half",
    } as RequestInit);
    expect(await streamed.text()).toBe("STREAMED");
  });

  it("passes an answer on that comes before the whole body was sent", async () => {
    const { port } = await startProxy((_request, answer) => answer.writeHead(413).end("too large"));
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: "x".repeat(5_000_000) });
    expect([answer.status, await answer.text()]).toEqual([413, "too large"]);
  });

  it("passes a WebSocket's upgrade and bytes on, and a refusal", async () => {
    const { workers, port } = await startProxy();
    workers.on("upgrade", (request: IncomingMessage, socket) => {
      if (request.headers["x-local-proxy-secret"] !== secret)
        return socket.end("HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno");
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\nfirst",
      );
      socket.on("data", (chunk: Buffer) => socket.end(`echo ${chunk}`));
    });
    const upgrade = ["GET /live HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"];
    const socket = connect(port, "127.0.0.1");
    socket.write([...upgrade, "Host: localhost", "", ""].join("\r\n"));
    const [head] = await once(socket, "data");
    expect(String(head)).toMatch(/^HTTP\/1\.1 101 /);
    socket.write("hello");
    expect(await text(socket)).toMatch(/echo hello$/);
    const refused = connect(port, "127.0.0.1");
    refused.write([...upgrade, "Host: evil.example", "", ""].join("\r\n"));
    expect(await text(refused)).toMatch(/^HTTP\/1\.1 401 [\s\S]*\r\n\r\nno$/);
  });

  it("tells the workers that a client went away", async () => {
    let closed: () => void = () => undefined;
    const wasClosed = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { port } = await startProxy((_request, answer) => void answer.on("close", closed).write("part"));
    const abort = new AbortController();
    await fetch(`http://127.0.0.1:${port}/`, { signal: abort.signal });
    abort.abort();
    await expect(wasClosed).resolves.toBeUndefined();
  });

  it("answers 503 while the workers do not listen", async () => {
    const { workers, port } = await startProxy();
    workers.close();
    await once(workers, "close");
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: "unavailable", status: 503 });
  });
});
