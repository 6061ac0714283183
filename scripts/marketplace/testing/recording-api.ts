import { createServer, type Server } from "node:http";
import type { EventInput } from "../../../shared/contracts/event.ts";
import type { ProductInput } from "../../../shared/contracts/product.ts";

/** The bulk endpoints of the API, which remember what they were sent. */
export class RecordingApi {
  products = new Map<string, ProductInput>();
  events = new Map<string, EventInput>();
  reports: { name: string; status: string; reason?: string; done: number }[] = [];
  /** Number of lines of each request of events. */
  requests: number[] = [];
  /** Users whose events are being written; more than one writer of a user is an error. */
  #writing = new Set<string>();
  overlaps = 0;
  /** Number of GET requests that are answered 503. */
  busy = 0;
  /** Whether requests of events are never answered. */
  hangs = false;
  /** Answers a request of events instead of storing it. */
  refuse: ((lines: EventInput[]) => { status: number; body: object } | null) | null = null;
  readonly #server: Server;
  url = "";

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        void this.#answer(request.method ?? "", request.url ?? "", Buffer.concat(chunks).toString()).then(
          ({ status, body }) =>
            response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body)),
        );
      });
    });
  }

  /** Listens on a free port of this machine. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    this.url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  }

  /** Stops listening. */
  stop(): void {
    this.#server.close();
  }

  /** Forgets all requests, and answers as at the start. */
  reset(): void {
    this.products = new Map();
    this.events = new Map();
    this.reports = [];
    this.requests = [];
    this.overlaps = 0;
    this.refuse = null;
    this.hangs = false;
    this.busy = 0;
  }

  async #answer(method: string, path: string, text: string): Promise<{ status: number; body: object }> {
    if (path.startsWith("/v1/imports/")) {
      this.reports.push({ name: path.slice("/v1/imports/".length), ...JSON.parse(text) });
      return { status: 200, body: {} };
    }
    if (method === "GET" && this.busy-- > 0) return { status: 503, body: { detail: "busy" } };
    if (method === "GET" && path.startsWith("/v1/products?"))
      return { status: 200, body: { items: [...this.products.values()] } };
    if (method === "GET") {
      const found = this.products.get(decodeURIComponent(path.slice("/v1/products/".length)));
      return { status: found ? 200 : 404, body: found ?? {} };
    }
    const lines = text.split("\n").map((line) => JSON.parse(line));
    const report = { received: lines.length, accepted: lines.length, duplicates: 0, rejected: 0, errors: [] };
    if (path === "/v1/products/bulk") {
      for (const product of lines as ProductInput[]) this.products.set(product.id, product);
      return { status: 200, body: report };
    }
    return this.#storeEvents(lines as EventInput[], report);
  }

  async #storeEvents(events: EventInput[], report: { accepted: number; duplicates: number }) {
    this.requests.push(events.length);
    if (this.hangs) await new Promise(() => undefined);
    if (events.length > 1000) return { status: 413, body: { detail: "At most 1000 lines." } };
    const refusal = this.refuse?.(events);
    if (refusal) return refusal;
    const users = new Set(events.map(({ userId }) => userId));
    for (const user of users) {
      if (this.#writing.has(user)) this.overlaps++;
      this.#writing.add(user);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
    for (const user of users) this.#writing.delete(user);
    for (const event of events) {
      if (this.events.has(event.eventId)) {
        report.accepted--;
        report.duplicates++;
      }
      this.events.set(event.eventId, event);
    }
    return { status: 200, body: report };
  }
}
