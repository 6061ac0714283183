import { z } from "zod";

/** What every line of the log says: whose it is, and of which of their lives. */
const owner = z.object({ pseudonym: z.string(), generation: z.number().int().default(0) });

/** Of whom nothing is to be left: by pseudonym, the last of their lives that is erased. */
export type Erased = ReadonlyMap<string, number>;

/** Whether a line is of an erased life. */
export function isErased(line: unknown, erased: Erased): boolean {
  const { pseudonym, generation } = owner.parse(line);
  return generation <= (erased.get(pseudonym) ?? -1);
}

/** The pseudonym of the person that a line speaks of. */
export const ownerOf = (line: unknown): string => owner.parse(line).pseudonym;

/** The pseudonyms that lines speak of, each once. */
export const userOf = (lines: readonly unknown[]): string[] => [...new Set(lines.map(ownerOf))];

/** Lines as they lie in the bucket: JSON lines, gzip. */
export async function packed(lines: readonly unknown[]): Promise<ArrayBuffer> {
  const text = lines.map((line) => JSON.stringify(line)).join("\n");
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
}

/** What {@link packed} packed. */
export async function unpacked(bytes: ArrayBuffer): Promise<unknown[]> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return (await new Response(stream).text()).split("\n").map((line): unknown => JSON.parse(line));
}
