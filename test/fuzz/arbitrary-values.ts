import fc from "fast-check";
import { type JsonSchema, type OpenApiDocument, resolveSchema } from "./openapi-document.ts";

/** Ids that requests share, so that some requests find resources that others created. */
const sharedNames = ["a", "b", "c", "p-1", "p-2", "u-1", "u-2"];

/** Maximum number of items of generated lists and of characters of generated texts. {@link arbitraryMutation} makes longer ones. */
const maxGenerated = { items: 4, characters: 40 };

const msPerDay = 86_400_000;
/** Generates timestamps, mostly ones that the API accepts for events. */
const arbitraryTimestamp = fc
  .oneof(
    { weight: 4, arbitrary: fc.integer({ min: Date.now() - 6 * msPerDay, max: Date.now() }) },
    fc.integer({ min: 0, max: 4e12 }),
  )
  .map((ms) => new Date(ms).toISOString());

function arbitraryText({
  pattern,
  format,
  minLength = 0,
  maxLength = maxGenerated.characters,
}: JsonSchema): fc.Arbitrary<string> {
  if (format === "date-time") return arbitraryTimestamp;
  if (pattern !== undefined) {
    const expression = new RegExp(pattern, "u");
    // fast-check generates no text for a pattern with Unicode properties, which only identifiers have.
    if (pattern.includes("\\p{"))
      return fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(...sharedNames) },
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }).filter((text) => expression.test(text)),
      );
    const matchingNames = sharedNames.filter((name) => expression.test(name));
    const anyMatch = fc.stringMatching(expression);
    return matchingNames.length > 0
      ? fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...matchingNames) }, anyMatch)
      : anyMatch;
  }
  return fc.oneof(
    fc.constantFrom(...sharedNames.filter(({ length }) => length >= minLength && length <= maxLength)),
    fc.string({
      unit: "binary",
      minLength,
      maxLength: Math.min(maxLength, minLength + maxGenerated.characters),
    }),
  );
}

function arbitraryNumber(
  { minimum, maximum, exclusiveMinimum }: JsonSchema,
  whole: boolean,
): fc.Arbitrary<number> {
  const min = minimum ?? (exclusiveMinimum === undefined ? -1e9 : exclusiveMinimum + (whole ? 1 : 1e-3));
  const max = Math.min(maximum ?? 1e9, 1e15);
  if (whole) return fc.integer({ min: Math.max(min, -(2 ** 31)), max: Math.min(max, 2 ** 31 - 1) });
  return fc.oneof(fc.double({ min, max, noNaN: true }), fc.constantFrom(min, max));
}

function arbitraryObject(
  document: OpenApiDocument,
  { properties = {}, required = [], additionalProperties }: JsonSchema,
) {
  const named = fc.record(
    Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, arbitraryValue(document, property)]),
    ),
    { requiredKeys: required },
  );
  if (typeof additionalProperties !== "object") return named;
  const additional = fc.dictionary(
    fc.string({ maxLength: 12 }),
    arbitraryValue(document, additionalProperties),
    {
      maxKeys: 3,
    },
  );
  return fc.tuple(named, additional).map(([own, others]) => ({ ...others, ...own }));
}

/** Generates values that match a schema. */
export function arbitraryValue(
  document: OpenApiDocument,
  schemaOrReference: JsonSchema,
): fc.Arbitrary<unknown> {
  const schema = resolveSchema(document, schemaOrReference);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((each) => arbitraryValue(document, each)));
  const types = [schema.type ?? []].flat();
  if (types.length > 1)
    return fc.oneof(...types.map((type) => arbitraryValue(document, { ...schema, type })));
  switch (types[0]) {
    case "object":
      return arbitraryObject(document, schema);
    case "array":
      return fc.array(arbitraryValue(document, schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(
          schema.maxItems ?? maxGenerated.items,
          (schema.minItems ?? 0) + maxGenerated.items,
        ),
      });
    case "string":
      return arbitraryText(schema);
    case "integer":
      return arbitraryNumber(schema, true);
    case "number":
      return arbitraryNumber(schema, false);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

/**
 * Generates values that no schema expects: wrong types, extreme numbers, control characters, lone surrogates, names with a
 * meaning in JavaScript or SQL, deep and wide values.
 */
const unexpectedValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    "",
    " ",
    "\u0000",
    "\ud800",
    "../..",
    "%00",
    "__proto__",
    "constructor",
    "' OR 1=1 --",
    "a".repeat(5000),
    "1e999",
    "NaN",
    -0,
    1e308,
    -1e308,
    2 ** 53,
    1.5e-320,
    [],
    {},
    [[[[[[[[]]]]]]]],
    { __proto__: null, toString: 1 },
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.integer({ min: 1, max: 80 }).map((depth) => JSON.parse(`${"[".repeat(depth)}${"]".repeat(depth)}`)),
  fc.integer({ min: 1, max: 300 }).map((width) => Array.from({ length: width }, () => "x")),
);

/** Generates values with one change: a part is removed, added, or replaced by an unexpected value. */
export const arbitraryMutation = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .tuple(value, unexpectedValue, fc.nat(), fc.nat(3))
    .map(([whole, other, at, kind]) => mutate(whole, other, at, kind));

function mutate(whole: unknown, other: unknown, at: number, kind: number): unknown {
  if (typeof whole !== "object" || whole === null) return other;
  if (Array.isArray(whole)) {
    if (kind === 0 || whole.length === 0) return [...whole, other];
    return whole.with(at % whole.length, mutate(whole[at % whole.length], other, at >> 3, kind));
  }
  const keys = Object.keys(whole);
  const key = keys[at % Math.max(1, keys.length)];
  if (kind === 0 || key === undefined) return { ...whole, [`odd${at % 3}`]: other };
  const value: unknown = Reflect.get(whole, key);
  const { [key]: _, ...rest } = whole as Record<string, unknown>;
  if (kind === 1) return rest;
  return { ...rest, [key]: mutate(value, other, at >> 3, kind) };
}
