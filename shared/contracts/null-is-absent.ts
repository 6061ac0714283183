import * as z from "zod";

/** A field that accepts null in place of its absence; other fields stay as they are. */
type AbsentIfNull<Field> =
  Field extends z.ZodOptional<infer Inner extends z.ZodType>
    ? z.ZodOptional<
        z.ZodPipe<z.ZodNullable<Inner>, z.ZodTransform<z.output<Inner> | undefined, z.output<Inner> | null>>
      >
    : Field extends z.ZodDefault<infer Inner extends z.ZodType>
      ? z.ZodDefault<z.ZodPipe<z.ZodNullable<Inner>, z.ZodTransform<z.output<Inner>, z.output<Inner> | null>>>
      : Field;
type NullIsAbsent<Shape extends z.ZodRawShape> = { [Name in keyof Shape]: AbsentIfNull<Shape[Name]> };

function absentIfNull(field: z.ZodType): z.ZodType {
  if (field.safeParse(null).success) return field;
  const meta = field.meta();
  const describe = (schema: z.ZodType): z.ZodType => (meta === undefined ? schema : schema.meta(meta));
  if (field instanceof z.ZodOptional) {
    const inner = z.nullable(field.unwrap() as z.ZodType);
    return describe(inner.transform((value) => value ?? undefined).optional());
  }
  if (field instanceof z.ZodDefault) {
    const inner = z.nullable(field.unwrap() as z.ZodType);
    const absent = (): unknown => field.parse(undefined);
    return describe(inner.transform((value) => value ?? absent()).default(absent));
  }
  return field;
}

/**
 * Returns the schema of an object in which null means that a field is absent, for every field that may be absent: it
 * is optional, or has a default. Unknown fields are refused. A field to which null has a meaning of its own keeps it.
 */
export function nullIsAbsent<Shape extends z.ZodRawShape>(
  object: z.ZodObject<Shape, z.core.$strict>,
): z.ZodObject<NullIsAbsent<Shape>, z.core.$strict> {
  const shape = Object.entries(object.shape).map(([name, field]) => [name, absentIfNull(field as z.ZodType)]);
  return z.strictObject(Object.fromEntries(shape) as NullIsAbsent<Shape>);
}

/** Returns the schema of a field of a `PATCH` body that null sets to `value`, what it has where it is absent. */
export const nullResets = <Schema extends z.ZodType>(schema: Schema, value: z.output<Schema>) =>
  z.nullable(schema).transform((given): z.output<Schema> => (given === null ? value : given));
