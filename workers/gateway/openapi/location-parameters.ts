import type { Gateway } from "../context.ts";

type Document = ReturnType<Gateway["getOpenAPI31Document"]>;

const pairedNames = ["lat", "lon"];

/**
 * Replaces optional `lat` and `lon` parameters of a query by one object parameter with both, and returns the changed document.
 * OpenAPI cannot say "both or neither" of two parameters. It can of an object whose properties are query parameters of their
 * own (style `form`, exploded).
 */
export function pairLocationParameters(document: Document): Document {
  for (const { get } of Object.values(document.paths ?? {})) {
    const given = get?.parameters ?? [];
    const parts = given.flatMap((each) =>
      "in" in each && each.in === "query" && each.required !== true && pairedNames.includes(each.name)
        ? [each]
        : [],
    );
    if (!get || parts.length !== pairedNames.length) continue;
    get.parameters = [
      ...given.filter((each) => !parts.some((part) => part === each)),
      {
        name: "place",
        in: "query",
        required: false,
        style: "form",
        explode: true,
        description: "The query parameters `lat` and `lon`: send both, or neither.",
        schema: {
          type: "object",
          properties: Object.fromEntries(parts.map(({ name, schema = {} }) => [name, schema])),
          required: [...pairedNames],
          additionalProperties: false,
        },
      },
    ];
  }
  return document;
}
