import { noString } from "../columns/layout.ts";

/**
 * Returns the one index of a string in a dictionary: {@link noString} if there is none, null if there are several. A
 * dictionary may hold an address twice.
 */
export function onlyIndexOf(strings: readonly string[], text: string): number | null {
  const index = strings.indexOf(text);
  if (index === -1) return noString;
  return strings.indexOf(text, index + 1) === -1 ? index : null;
}

/** Whether a string of the dictionary passes a test. */
const untested = 0;
const fails = 1;
const passes = 2;

/** Returns a test of indices into a dictionary that tests each string once. No string never passes. */
export function testOfIndices(
  strings: readonly string[],
  test: (text: string) => boolean,
): (index: number) => boolean {
  const results = new Uint8Array(strings.length);
  return (index) => {
    if (index === noString) return false;
    if (results[index] === untested) results[index] = test(strings[index]) ? passes : fails;
    return results[index] === passes;
  };
}
