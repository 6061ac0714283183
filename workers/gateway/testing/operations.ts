import * as z from "zod";
import { type AccessLevel, accessLevels } from "../keys/caller.ts";

const methods = ["get", "put", "post", "patch", "delete"] as const;
const operation = z.object({
  security: z.array(z.object({ credential: z.tuple([z.enum(accessLevels)]) })).optional(),
  requestBody: z.object({ content: z.record(z.string(), z.unknown()) }).optional(),
});
const document = z.object({
  paths: z.record(z.string(), z.partialRecord(z.enum(methods), operation)),
});

/** An operation of the OpenAPI document, with an example path. */
export interface ApiOperation {
  /** Method and path pattern: `GET /v1/users/{id}`. */
  name: string;
  method: string;
  /** A path that matches the pattern. */
  path: string;
  /** Null for a public operation. */
  access: AccessLevel | null;
  /** Media type of the request body; null for an operation without one. */
  body: string | null;
}

const examples: Record<string, string> = { n: "0", sha256: "a".repeat(64), application: "demo" };

/** Anything that sends a request to the API. */
interface ApiClient {
  call(method: string, path: string, options: { key: string }): Promise<{ json(): Promise<unknown> }>;
}

/** Returns all operations of the OpenAPI document that the API serves. */
export const fetchOperations = async (gateway: ApiClient): Promise<ApiOperation[]> =>
  parseOperations(await (await gateway.call("GET", "/openapi.json", { key: "" })).json());

/** Returns all operations of an OpenAPI document. `valueFor` returns the value of a parameter in a path pattern. */
export function parseOperations(
  openApi: unknown,
  valueFor: (path: string, parameter: string) => string = () => "x",
): ApiOperation[] {
  const { paths } = document.parse(openApi);
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const found = item[method];
      if (!found) return [];
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => examples[name] ?? valueFor(path, name)),
        access: found.security?.[0].credential[0] ?? null,
        body: Object.keys(found.requestBody?.content ?? {})[0] ?? null,
      };
    }),
  );
}
