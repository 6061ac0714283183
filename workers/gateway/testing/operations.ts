import { z } from "zod";
import { type AccessLevel, accessLevels } from "../keys/caller.ts";

const methods = ["get", "put", "post", "patch", "delete"] as const;
const operation = z.object({
  security: z.array(z.object({ credential: z.tuple([z.enum(accessLevels)]) })).optional(),
  requestBody: z.object({ content: z.record(z.string(), z.unknown()) }).optional(),
});
const document = z.object({
  paths: z.record(z.string(), z.partialRecord(z.enum(methods), operation)),
});

/** An operation of the API's own document, with a path that meets its pattern. */
export interface ApiOperation {
  name: string;
  method: string;
  path: string;
  /** Null for a public one. */
  access: AccessLevel | null;
  /** Media type of its body, null where it takes none. */
  body: string | null;
}

const examples: Record<string, string> = { n: "0", sha256: "a".repeat(64), application: "demo" };

/** Whatever answers calls. */
interface ApiClient {
  call(method: string, path: string, options: { key: string }): Promise<{ json(): Promise<unknown> }>;
}

/** All operations of `/openapi.json`, as a door answers it. */
export const fetchOperations = async (gateway: ApiClient): Promise<ApiOperation[]> =>
  parseOperations(await (await gateway.call("GET", "/openapi.json", { key: "" })).json());

/** All operations of the API's document, with paths that name what `ids` says by pattern and parameter. */
export function parseOperations(
  read: unknown,
  ids: (path: string, parameter: string) => string = () => "x",
): ApiOperation[] {
  const { paths } = document.parse(read);
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const found = item[method];
      if (!found) return [];
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => examples[name] ?? ids(path, name)),
        access: found.security?.[0].credential[0] ?? null,
        body: Object.keys(found.requestBody?.content ?? {})[0] ?? null,
      };
    }),
  );
}
