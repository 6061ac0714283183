import { logRoot } from "../../shared/training-log/keys.ts";

/** The part of an R2 bucket that {@link listLogKeys} uses. */
interface ListableBucket {
  list(options: { prefix: string; cursor?: string }): Promise<{
    objects: { key: string }[];
    truncated: boolean;
    cursor?: string;
  }>;
}

/** Returns the keys of all objects of an application's training log. */
export async function listLogKeys(log: ListableBucket, application: string): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await log.list({ prefix: logRoot(application), cursor });
    keys.push(...page.objects.map(({ key }) => key));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor);
  return keys;
}
