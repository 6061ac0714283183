import { expect, it } from "vitest";
import * as z from "zod";
import { problemCodes } from "../../../shared/contracts/problem.ts";
import { createTestGateway } from "../testing/test-gateway.ts";

const record = z.record(z.string(), z.unknown());
const isRecord = (value: unknown): value is Record<string, unknown> => record.safeParse(value).success;
const document = z.object({
  paths: z.record(z.string(), record),
  components: z.object({ schemas: record }),
});

/**
 * Returns the paths of objects under `schema` that accept fields of any name. Maps with a schema for their values are
 * fine.
 */
function openObjects(schema: unknown, named: Record<string, unknown>, path: string): string[] {
  if (!isRecord(schema)) return [];
  const { $ref: name } = schema;
  if (typeof name === "string") return openObjects(named[name.split("/").at(-1) ?? ""], named, path);
  const closed = schema.additionalProperties === false || isRecord(schema.additionalProperties);
  const found = schema.type === "object" && !closed ? [path] : [];
  const children = Object.entries(schema).flatMap(([key, child]) =>
    [child].flat().flatMap((each) => openObjects(each, named, `${path}.${key}`)),
  );
  return [...found, ...children];
}

/** Returns the paths of schemas under `schema` that have a `type` and none of the keywords `bounds`. */
function unbounded(
  schema: unknown,
  named: Record<string, unknown>,
  type: string,
  bounds: string[],
  path: string,
): string[] {
  if (!isRecord(schema)) return [];
  const { $ref: name } = schema;
  if (typeof name === "string")
    return unbounded(named[name.split("/").at(-1) ?? ""], named, type, bounds, path);
  const found = [schema.type].flat().includes(type) && !bounds.some((bound) => bound in schema) ? [path] : [];
  const children = Object.entries(schema).flatMap(([key, child]) =>
    (Array.isArray(child) ? child : [child]).flatMap((each) =>
      unbounded(each, named, type, bounds, `${path}.${key}`),
    ),
  );
  return [...found, ...children];
}

it("bounds every string and every array of a request", async () => {
  const { paths, components } = document.parse(
    await (await createTestGateway().call("GET", "/openapi.json", { key: "" })).json(),
  );
  const open = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) => {
      if (!isRecord(operation)) return [];
      const name = `${method} ${path}`;
      const wanted = [operation.parameters, operation.requestBody];
      return wanted.flatMap((part) =>
        [part]
          .flat()
          .flatMap((each) => [
            ...unbounded(
              each,
              components.schemas,
              "string",
              ["maxLength", "pattern", "enum", "const", "format"],
              name,
            ),
            ...unbounded(each, components.schemas, "array", ["maxItems"], name),
          ]),
      );
    }),
  );
  expect(open).toEqual([]);
});

it("accepts no object with fields of any name in a body", async () => {
  const { paths, components } = document.parse(
    await (await createTestGateway().call("GET", "/openapi.json", { key: "" })).json(),
  );
  const open = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) =>
      isRecord(operation) ? openObjects(operation.requestBody, components.schemas, `${method} ${path}`) : [],
    ),
  );
  expect(open).toEqual([]);
});

it("lists every problem code, bounds the names in maps, and describes times", async () => {
  const { components } = document.parse(
    await (await createTestGateway().call("GET", "/openapi.json", { key: "" })).json(),
  );
  expect(problemCodes).toEqual(expect.arrayContaining(["request_timeout", "upgrade_required", "internal"]));
  expect(components.schemas).toMatchObject({
    Problem: { properties: { code: { enum: problemCodes } } },
    UserBody: { properties: { attributes: { propertyNames: { minLength: 1, maxLength: 64 } } } },
    LocationBody: { properties: { timestamp: { type: ["string", "null"], format: "date-time" } } },
  });
});
