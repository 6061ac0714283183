/** sha-256 (hex) of a person within an application: names them in a tombstone without saying who they were. */
export async function personHash(application: string, userId: string): Promise<string> {
  const bytes = new TextEncoder().encode(`${application}:${userId}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
