import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A request of wrangler to Cloudflare's API. */
export interface ApiRequest {
  method: string;
  /** Path after the account's, for example `/workers/scripts/vicinity-cell/deployments`. */
  path: string;
  body: string;
  /** Parameters of the query, for example `page` and `name`. */
  query: URLSearchParams;
}

/** An answer of Cloudflare's API: its result, or the code and text of an error. */
export type ApiAnswer = { result: unknown } | { code: number; message: string; status?: number };

/** A server that answers wrangler as Cloudflare's API does, for one account. */
export interface CloudflareApi {
  /** Variables of wrangler's environment. */
  variables: Readonly<Record<string, string>>;
  requests: ApiRequest[];
  close(): Promise<void>;
}

export const accountId = "0123456789abcdef0123456789abcdef";

/** Starts the server. `answer` returns null where there is no such path. */
export async function startCloudflareApi(
  answer: (request: ApiRequest) => ApiAnswer | null,
): Promise<CloudflareApi> {
  const requests: ApiRequest[] = [];
  const server: Server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { pathname, searchParams: query } = new URL(incoming.url ?? "", "http://api.invalid");
      const path = pathname.replace(`/client/v4/accounts/${accountId}`, "");
      const request = { method: incoming.method ?? "", path, query, body: Buffer.concat(chunks).toString() };
      requests.push(request);
      const found = answer(request) ?? { code: 7003, message: `Could not route to ${path}`, status: 404 };
      const isError = "code" in found;
      outgoing.writeHead(isError ? (found.status ?? 404) : 200, { "content-type": "application/json" });
      outgoing.end(
        JSON.stringify({
          success: !isError,
          result: isError ? null : found.result,
          errors: isError ? [{ code: found.code, message: found.message }] : [],
          messages: [],
        }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    requests,
    variables: {
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${port}/client/v4`,
      CLOUDFLARE_API_TOKEN: "token-of-a-test",
      CLOUDFLARE_ACCOUNT_ID: accountId,
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
