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

/** Returns lines in the format of the bucket: JSON lines, compressed with gzip. */
export async function packLines(lines: readonly unknown[]): Promise<ArrayBuffer> {
  const text = lines.map((line) => JSON.stringify(line)).join("\n");
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
}

/** Returns the lines that {@link packLines} encoded. Throws if the bytes have another format. */
export async function unpackLines(bytes: ArrayBuffer): Promise<unknown[]> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return (await new Response(stream).text()).split("\n").map((line): unknown => JSON.parse(line));
}
