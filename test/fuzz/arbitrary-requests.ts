import fc from "fast-check";
import { arbitraryMutation, arbitraryValue } from "./arbitrary-values.ts";
import {
  type JsonSchema,
  type OpenApiDocument,
  type OpenApiOperation,
  resolveSchema,
} from "./openapi-document.ts";

/** A generated request to an operation. */
export interface FuzzRequest {
  operation: OpenApiOperation;
  path: string;
  /** Name of the credential that the request uses. */
  credential: string;
  headers: Record<string, string>;
  body: string | Uint8Array | FormData | undefined;
  /** Returns the text that fast-check prints if the request is a counterexample. */
  toString(): string;
}

/** Returns texts unchanged and other values as JSON. */
const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** Generates values of which five in six match the schema. */
const mostlyValid = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 5, arbitrary: value }, { weight: 1, arbitrary: arbitraryMutation(value) });

/** Encodes a value for a URL. Replaces lone surrogates, which `encodeURIComponent` refuses. */
const encodeComponent = (value: unknown): string => encodeURIComponent(asText(value).toWellFormed());

/** Returns the query entries of a parameter. An object parameter becomes one entry for each property. */
const explodeParameter = ([name, value]: [string, unknown]): [string, unknown][] =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value)
    : [[name, value]];

/**
 * Generates the path and query of an operation, with an unknown or repeated query parameter in one of 16 cases. Every
 * third value of a path is the id of a resource, if one is known.
 */
function arbitraryPath(
  document: OpenApiDocument,
  { path, parameters }: OpenApiOperation,
  knownIds: ReadonlyMap<string, string>,
): fc.Arbitrary<string> {
  const known = [...knownIds].flatMap(([prefix, id]) => (path.startsWith(`${prefix}{`) ? [id] : []));
  const anyValueOf = ({ schema }: OpenApiOperation["parameters"][number]): fc.Arbitrary<unknown> =>
    mostlyValid(arbitraryValue(document, schema));
  const parametersIn = (location: "path" | "query") =>
    fc.record(
      Object.fromEntries(
        parameters.flatMap((each) =>
          each.in !== location
            ? []
            : [
                [
                  each.name,
                  location === "path" && known.length > 0
                    ? fc.oneof({ weight: 2, arbitrary: anyValueOf(each) }, fc.constantFrom(...known))
                    : anyValueOf(each),
                ],
              ],
        ),
      ),
      { requiredKeys: location === "path" ? undefined : [] },
    );
  const extraEntry = fc.oneof(
    { weight: 15, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom("limit", "x", "lat", "cursor"), fc.string()) },
  );
  return fc.tuple(parametersIn("path"), parametersIn("query"), extraEntry).map(([inPath, inQuery, extra]) => {
    const filledPath = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeComponent(Reflect.get(inPath, name)),
    );
    const query = [...Object.entries(inQuery).flatMap(explodeParameter), ...(extra ? [extra] : [])];
    return (
      filledPath +
      (query.length > 0 ? `?${query.map(([k, v]) => `${k}=${encodeComponent(v)}`).join("&")}` : "")
    );
  });
}

type Payload = Pick<FuzzRequest, "headers" | "body">;

/** Generates bodies that are invalid for their content type. */
const malformedPayload: fc.Arbitrary<Payload> = fc
  .tuple(
    fc.constantFrom(
      "application/json",
      "text/plain",
      "application/x-ndjson",
      "multipart/form-data",
      "image/png",
    ),
    fc.oneof(
      fc.constantFrom("", "{", "nul", "[1,2", '{"a":1,}', "\u0000", '{"events":', "a=b&c=d"),
      fc.string({ unit: "binary" }),
      fc.uint8Array({ maxLength: 64 }),
    ),
  )
  .map(([type, body]) => ({ headers: { "content-type": type }, body }));

/** Generates at most five lines, of which five in six contain JSON. */
function arbitraryNdjson(
  document: OpenApiDocument,
  { items: schema = {} }: JsonSchema,
): fc.Arbitrary<string> {
  const line = fc.oneof(
    {
      weight: 5,
      arbitrary: mostlyValid(arbitraryValue(document, schema)).map((value) => JSON.stringify(value)),
    },
    fc.string({ maxLength: 30 }),
  );
  return fc.array(line, { maxLength: 5 }).map((allLines) => allLines.join("\n"));
}

/** Generates the headers and body of an operation, with a malformed body in one of ten cases. */
function arbitraryPayload(
  document: OpenApiDocument,
  { requestBody }: OpenApiOperation,
): fc.Arbitrary<Payload> {
  const [[type, { schema = {} }] = ["", {}]] = Object.entries(requestBody?.content ?? {});
  const validPayload = (): fc.Arbitrary<Payload> => {
    switch (type) {
      case "":
        return fc.constant({ headers: {}, body: undefined });
      case "application/json":
        return mostlyValid(arbitraryValue(document, resolveSchema(document, schema))).map((value) => ({
          headers: { "content-type": type },
          body: JSON.stringify(value),
        }));
      case "application/x-ndjson":
        return arbitraryNdjson(document, schema).map((body) => ({
          headers: { "content-type": type },
          body,
        }));
      case "multipart/form-data":
        return fc
          .tuple(fc.jsonValue().map(asText), fc.uint8Array({ maxLength: 200 }))
          .map(([manifest, file]) => {
            const body = new FormData();
            body.set("manifest", manifest);
            body.set("model", new Blob([file]), "model.onnx");
            return { headers: {}, body };
          });
      default:
        return fc
          .tuple(fc.constantFrom("image/png", "image/jpeg", "image/x"), fc.uint8Array())
          .map(([contentType, body]) => ({ headers: { "content-type": contentType }, body }));
    }
  };
  return fc.oneof({ weight: 9, arbitrary: validPayload() }, { weight: 1, arbitrary: malformedPayload });
}

/**
 * Generates valid, nearly valid and invalid requests to any operation, with any of the credentials. `knownIds` are ids of
 * resources that nobody can guess, by the path before the id.
 */
export function arbitraryRequest(
  document: OpenApiDocument,
  operations: readonly OpenApiOperation[],
  credentials: readonly string[],
  knownIds: ReadonlyMap<string, string>,
): fc.Arbitrary<FuzzRequest> {
  return fc.constantFrom(...operations).chain((operation) =>
    fc
      .tuple(
        arbitraryPath(document, operation, knownIds),
        arbitraryPayload(document, operation),
        fc.oneof({ weight: 6, arbitrary: fc.constant(credentials[0]) }, fc.constantFrom(...credentials)),
      )
      .map(([path, { headers, body }, credential]) => ({
        operation,
        path,
        credential,
        headers,
        body: operation.method === "GET" ? undefined : body,
        toString: () =>
          `${operation.method} ${path} (${credential}) ${JSON.stringify(headers)} ${body instanceof FormData ? "multipart form" : body}`,
      })),
  );
}
