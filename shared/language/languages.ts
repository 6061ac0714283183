/** The languages of sentences in answers (ISO 639-1). The first one is the default. */
export const languages = ["en", "de", "es", "fr"] as const;
export type Language = (typeof languages)[number];
export const defaultLanguage: Language = languages[0];
