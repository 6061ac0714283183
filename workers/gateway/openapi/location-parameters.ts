import type { Gateway } from "../context.ts";

type Document = ReturnType<Gateway["getOpenAPI31Document"]>;

const pairedNames = ["lat", "lon"];

/**
 * Replaces optional `lat` and `lon` parameters of a query by one object parameter with both, and returns the changed
 * document. OpenAPI cannot require both or neither of two parameters, but an object can require all of its properties.
 * With the style `form`, exploded, each property is a query parameter of its own.
 */
export function pairLocationParameters(document: Document): Document {
  for (const { get } of Object.values(document.paths ?? {})) {
    const parameters = get?.parameters ?? [];
    const pair = parameters.flatMap((each) =>
      "in" in each && each.in === "query" && each.required !== true && pairedNames.includes(each.name)
        ? [each]
        : [],
    );
    if (!get || pair.length !== pairedNames.length) continue;
    get.parameters = [
      ...parameters.filter((each) => !pair.some((paired) => paired === each)),
      {
        name: "place",
        in: "query",
        required: false,
        style: "form",
        explode: true,
        description: "The query parameters `lat` and `lon`: send both, or neither.",
        schema: {
          type: "object",
          properties: Object.fromEntries(pair.map(({ name, schema = {} }) => [name, schema])),
          required: [...pairedNames],
          additionalProperties: false,
        },
      },
    ];
  }
  return document;
}
