/** `Intl.Locale.getTimeZones` (ECMA-402 proposal Intl.Locale-info), which the types of ES2024 do not contain. */
interface LocaleWithTimezones extends Intl.Locale {
  getTimeZones(): string[] | undefined;
}

const zonesByCountry = new Map<string, ReadonlySet<string>>();

/** Returns the canonical names (IANA) of the timezones of a country; empty if they are not known. */
function timezonesOf(country: string): ReadonlySet<string> {
  let zones = zonesByCountry.get(country);
  if (!zones) {
    const locale = new Intl.Locale(`und-${country}`) as LocaleWithTimezones;
    zones = new Set(locale.getTimeZones() ?? []);
    zonesByCountry.set(country, zones);
  }
  return zones;
}

const canonicalNames = new Map<string, string>();

function canonicalName(zone: string): string {
  let name = canonicalNames.get(zone);
  if (name === undefined) {
    name = new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
    canonicalNames.set(zone, name);
  }
  return name;
}

/** Returns whether a timezone (IANA name) is one of a country; true for a country whose timezones are not known. */
export function isTimezoneOf(zone: string, country: string): boolean {
  const zones = timezonesOf(country);
  return zones.size === 0 || zones.has(zone) || zones.has(canonicalName(zone));
}

/** Returns the timezone of a country with a single one; null for other countries. */
export function onlyTimezoneOf(country: string): string | null {
  const [zone, ...others] = timezonesOf(country);
  return zone !== undefined && others.length === 0 ? zone : null;
}
