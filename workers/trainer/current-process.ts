let id: string | null = null;

/**
 * Returns the id of this isolate. Where all workers run in one process with one isolate each, as with `npm start`, another
 * id proves that a process has ended. On Cloudflare it proves nothing: many isolates run at a time.
 */
export function currentProcess(): string {
  // A Worker has no random numbers before its first request.
  id ??= crypto.randomUUID();
  return id;
}
