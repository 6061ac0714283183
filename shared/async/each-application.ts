import { errorText } from "../errors/error-text.ts";

/**
 * Runs `work` for each application, one after the other. A failure is logged as `event` and stops no other application.
 * Returns the number of applications whose work failed.
 */
export async function eachApplication(
  applications: Iterable<string>,
  event: string,
  work: (application: string) => Promise<unknown>,
): Promise<number> {
  let failed = 0;
  for (const application of applications)
    try {
      await work(application);
    } catch (error) {
      failed++;
      console.error({ event, application, error: errorText(error) });
    }
  return failed;
}
