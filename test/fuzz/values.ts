import fc from "fast-check";
import { type Document, resolved, type Schema } from "./document.ts";

/** Names that requests share, so that they meet what other requests made. */
const names = ["a", "b", "c", "p-1", "p-2", "u-1", "u-2"];

/** Most entries of a generated list, and characters of a text: what is more is the part of {@link spoiled}. */
const most = { items: 4, characters: 40 };

const days = 86_400_000;
/** Moments that an event may have, and others. */
const moment = fc
  .oneof(
    { weight: 4, arbitrary: fc.integer({ min: Date.now() - 6 * days, max: Date.now() }) },
    fc.integer({ min: 0, max: 4e12 }),
  )
  .map((ms) => new Date(ms).toISOString());

function text({ pattern, format, minLength = 0, maxLength = most.characters }: Schema): fc.Arbitrary<string> {
  if (format === "date-time") return moment;
  if (pattern !== undefined) {
    const expression = new RegExp(pattern);
    const known = names.filter((name) => expression.test(name));
    const any = fc.stringMatching(expression);
    return known.length > 0 ? fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, any) : any;
  }
  return fc.oneof(
    fc.constantFrom(...names.filter(({ length }) => length >= minLength && length <= maxLength)),
    fc.string({ unit: "binary", minLength, maxLength: Math.min(maxLength, minLength + most.characters) }),
  );
}

function number({ minimum, maximum, exclusiveMinimum }: Schema, whole: boolean): fc.Arbitrary<number> {
  const min = minimum ?? (exclusiveMinimum === undefined ? -1e9 : exclusiveMinimum + (whole ? 1 : 1e-3));
  const max = Math.min(maximum ?? 1e9, 1e15);
  if (whole) return fc.integer({ min: Math.max(min, -(2 ** 31)), max: Math.min(max, 2 ** 31 - 1) });
  return fc.oneof(fc.double({ min, max, noNaN: true }), fc.constantFrom(min, max));
}

function object(document: Document, { properties = {}, required = [], additionalProperties }: Schema) {
  const named = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, of]) => [name, arbitraryOf(document, of)])),
    { requiredKeys: required },
  );
  if (typeof additionalProperties !== "object") return named;
  const more = fc.dictionary(fc.string({ maxLength: 12 }), arbitraryOf(document, additionalProperties), {
    maxKeys: 3,
  });
  return fc.tuple(named, more).map(([own, others]) => ({ ...others, ...own }));
}

/** Values that meet a schema. */
export function arbitraryOf(document: Document, given: Schema): fc.Arbitrary<unknown> {
  const schema = resolved(document, given);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((each) => arbitraryOf(document, each)));
  const types = [schema.type ?? []].flat();
  if (types.length > 1) return fc.oneof(...types.map((type) => arbitraryOf(document, { ...schema, type })));
  switch (types[0]) {
    case "object":
      return object(document, schema);
    case "array":
      return fc.array(arbitraryOf(document, schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? most.items, (schema.minItems ?? 0) + most.items),
      });
    case "string":
      return text(schema);
    case "integer":
      return number(schema, true);
    case "number":
      return number(schema, false);
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

/** What no schema expects: wrong kinds, far numbers, control characters, half pairs, names with a meaning, deep and wide values. */
const odd: fc.Arbitrary<unknown> = fc.oneof(
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

/** Values that nearly are what was meant: something in them is taken away, added, or replaced by what nobody expects. */
export const spoiled = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.tuple(value, odd, fc.nat(), fc.nat(3)).map(([whole, other, at, kind]) => spoil(whole, other, at, kind));

function spoil(whole: unknown, other: unknown, at: number, kind: number): unknown {
  if (typeof whole !== "object" || whole === null) return other;
  if (Array.isArray(whole)) {
    if (kind === 0 || whole.length === 0) return [...whole, other];
    return whole.with(at % whole.length, spoil(whole[at % whole.length], other, at >> 3, kind));
  }
  const keys = Object.keys(whole);
  const key = keys[at % Math.max(1, keys.length)];
  if (kind === 0 || key === undefined) return { ...whole, [`odd${at % 3}`]: other };
  const value: unknown = Reflect.get(whole, key);
  const { [key]: _, ...rest } = whole as Record<string, unknown>;
  if (kind === 1) return rest;
  return { ...rest, [key]: spoil(value, other, at >> 3, kind) };
}
