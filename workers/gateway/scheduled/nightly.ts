/**
 * The nightly cron of wrangler.toml: each minute of an hour. Each of the runs serves one share of the applications, so that
 * none makes more calls than a request may.
 */
export const nightlyCron = "* 3 * * *";
/** Shares of the applications, one for each minute of the hour. */
export const nightlyShares = 60;
