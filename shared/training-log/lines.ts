import { z } from "zod";

/** What every line of the log says: whose it is, and of which of their lives. */
const lineOwner = z.object({ pseudonym: z.string(), generation: z.number().int().default(0) });

/** Of whom nothing is to be left: by pseudonym, the last of their lives that is erased. */
export type ErasedGenerations = ReadonlyMap<string, number>;

/** Whether a line is of an erased life. */
export function isErasedLine(line: unknown, erased: ErasedGenerations): boolean {
  const { pseudonym, generation } = lineOwner.parse(line);
  return generation <= (erased.get(pseudonym) ?? -1);
}

/** The pseudonym of the person that a line speaks of. */
export const linePseudonym = (line: unknown): string => lineOwner.parse(line).pseudonym;

/** The pseudonyms that lines speak of, each once. */
export const pseudonymsIn = (lines: readonly unknown[]): string[] => [...new Set(lines.map(linePseudonym))];

/** Lines as they lie in the bucket: JSON lines, gzip. */
export async function packLines(lines: readonly unknown[]): Promise<ArrayBuffer> {
  const text = lines.map((line) => JSON.stringify(line)).join("\n");
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
}

/** What {@link packLines} packed. */
export async function unpackLines(bytes: ArrayBuffer): Promise<unknown[]> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return (await new Response(stream).text()).split("\n").map((line): unknown => JSON.parse(line));
}
