import type { Gateway } from "../context.ts";

type Document = ReturnType<Gateway["getOpenAPI31Document"]>;

const pairedNames = ["lat", "lon"];

/**
 * In a query, a place that may be left out is both `lat` and `lon` or neither. The document says so by one parameter: an object
 * whose names stand in the query by themselves (style `form`, exploded). Changes the document, and answers it.
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
        description: "`lat` and `lon` in the query: both, or neither.",
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
