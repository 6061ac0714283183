import * as z from "zod";

/** The fields of every line of the log: the name of the user in the log, and the generation of their data. */
const lineOwner = z.object({ pseudonym: z.string(), generation: z.number().int().default(0) });

/** The last erased generation of each erased user, by their name in the log. */
export type ErasedGenerations = ReadonlyMap<string, number>;

/** Returns whether a line belongs to an erased generation. */
export function isErasedLine(line: unknown, erased: ErasedGenerations): boolean {
  const { pseudonym, generation } = lineOwner.parse(line);
  return generation <= (erased.get(pseudonym) ?? -1);
}

/** Returns the name of the user that a line belongs to. */
export const linePseudonym = (line: unknown): string => lineOwner.parse(line).pseudonym;

/** Returns whether a line holds a training example. */
export const isExample = (line: unknown): boolean =>
  z.object({ kind: z.literal("example") }).safeParse(line).success;

/** Returns the names of the users that lines belong to, each once. */
export const pseudonymsIn = (lines: readonly unknown[]): string[] => [...new Set(lines.map(linePseudonym))];

const field = (line: object, name: string): string => String(Reflect.get(line, name));

/** Returns the identity of a line. Of several lines with the same identity, the log needs one. */
export function lineIdentity(line: object): string {
  const kind = field(line, "kind");
  switch (kind) {
    case "interaction":
      return `${kind}/${field(line, "pseudonym")}/${field(line, "event")}`;
    case "example":
      return `${kind}/${field(line, "recommendation")}`;
    case "correction":
      return `${kind}/${field(line, "recommendation")}/${field(line, "outcome")}/${field(line, "productId")}`;
    default:
      return JSON.stringify(line);
  }
}

/** Returns texts in the format of the bucket: one line for each, compressed with gzip. */
export async function packTexts(texts: readonly string[]): Promise<ArrayBuffer> {
  const bytes = new Blob([texts.join("\n")]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Response(bytes).arrayBuffer();
}

/** Returns the texts that {@link packTexts} encoded. Throws if the bytes have another format. */
export async function unpackTexts(bytes: ArrayBuffer): Promise<string[]> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const text = await new Response(stream).text();
  return text === "" ? [] : text.split("\n");
}

/** Returns lines in the format of the bucket: JSON lines, compressed with gzip. */
export const packLines = (lines: readonly unknown[]): Promise<ArrayBuffer> =>
  packTexts(lines.map((line) => JSON.stringify(line)));

/** Returns the lines that {@link packLines} encoded. Throws if the bytes have another format. */
export const unpackLines = async (bytes: ArrayBuffer): Promise<unknown[]> =>
  (await unpackTexts(bytes)).map((text): unknown => JSON.parse(text));
