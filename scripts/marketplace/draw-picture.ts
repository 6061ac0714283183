/** A drawing of a category: shapes on a square of 96 units, in the classes `a` (main color), `b` (accent) and `l` (line). */
interface Drawing {
  /** Hue of the colors, in degrees. */
  hue: number;
  shapes: string;
}

/** A drawing for each category of the demo marketplace. */
const drawings: Record<string, Drawing> = {
  coffee: {
    hue: 28,
    shapes:
      '<path class="a" d="M24 40h40v16a20 20 0 0 1-40 0z"/><path class="l" d="M64 44h6a8 8 0 0 1 0 16h-7M34 30c0-6 6-6 6-12M48 30c0-6 6-6 6-12"/><path class="b" d="M20 80h48v4H20z"/>',
  },
  bakery: {
    hue: 38,
    shapes:
      '<path class="a" d="M14 62c0-24 16-36 34-36s34 12 34 36c0 6-8 6-10 0-4-10-12-16-24-16s-20 6-24 16c-2 6-10 6-10 0z"/><path class="l" d="M34 31l4 16M48 27v17M62 31l-4 16"/>',
  },
  lunch: {
    hue: 110,
    shapes:
      '<path class="a" d="M16 48h64a32 32 0 0 1-64 0z"/><circle class="b" cx="36" cy="42" r="9"/><circle class="b" cx="58" cy="40" r="11"/><path class="l" d="M48 48c0-14 6-22 16-26"/>',
  },
  dinner: {
    hue: 8,
    shapes:
      '<circle class="a" cx="48" cy="50" r="24"/><circle class="b" cx="48" cy="50" r="14"/><path class="l" d="M14 24v18c0 6 8 6 8 0V24M18 46v30M80 24c-8 6-8 20 0 24v28"/>',
  },
  bars: {
    hue: 320,
    shapes:
      '<path class="a" d="M22 22h52L48 54z"/><path class="b" d="M36 38h24L48 52z"/><path class="l" d="M48 54v24M34 80h28M60 22l10-10"/>',
  },
  groceries: {
    hue: 95,
    shapes:
      '<path class="a" d="M18 42h60l-8 38H26z"/><path class="l" d="M30 42l10-20M66 42L56 22"/><circle class="b" cx="40" cy="60" r="6"/><circle class="b" cx="56" cy="60" r="6"/>',
  },
  fashion: {
    hue: 215,
    shapes:
      '<path class="a" d="M34 20l14 8 14-8 18 14-10 12-6-4v38H32V42l-6 4-10-12z"/><path class="l" d="M40 24c2 8 14 8 16 0"/><path class="b" d="M42 56h12v6H42z"/>',
  },
  beauty: {
    hue: 345,
    shapes:
      '<path class="a" d="M34 44h28v34a6 6 0 0 1-6 6H40a6 6 0 0 1-6-6z"/><path class="b" d="M40 30h16v14H40z"/><path class="l" d="M48 30V18h12M42 60h12"/>',
  },
  books: {
    hue: 250,
    shapes:
      '<path class="a" d="M14 26c12-6 24-4 34 4 10-8 22-10 34-4v48c-12-6-24-4-34 4-10-8-22-10-34-4z"/><path class="l" d="M48 30v48M24 40c6-2 10-1 14 1M24 52c6-2 10-1 14 1M58 41c4-2 8-3 14-1M58 53c4-2 8-3 14-1"/>',
  },
  fitness: {
    hue: 185,
    shapes:
      '<path class="a" d="M14 36h12v24H14zM70 36h12v24H70z"/><path class="b" d="M26 30h8v36h-8zM62 30h8v36h-8z"/><path class="l" d="M34 48h28"/>',
  },
  home: {
    hue: 45,
    shapes:
      '<path class="a" d="M34 18h28l12 30H22z"/><path class="l" d="M48 48v30"/><path class="b" d="M32 78h32v6H32z"/>',
  },
  electronics: {
    hue: 200,
    shapes:
      '<rect class="a" x="22" y="16" width="52" height="66" rx="8"/><circle class="b" cx="48" cy="56" r="15"/><circle class="l" cx="48" cy="56" r="6"/><circle class="b" cx="48" cy="30" r="6"/>',
  },
};

/** Names of the categories that have a picture. */
export const drawnCategories: readonly string[] = Object.keys(drawings);

/** Returns the file name of a category's picture in `web/assets`. */
export const pictureFile = (category: string): string => `picture-${category}.svg`;

/**
 * Returns the picture of a category as SVG, in light and in dark colors by the reader's setting. It names no other file.
 * Throws for a category without a drawing.
 */
export function drawPicture(category: string): string {
  const drawing = drawings[category];
  if (!drawing) throw new Error(`There is no drawing for the category ${category}.`);
  const { hue, shapes } = drawing;
  const colors = (ground: number, main: number, accent: number, line: number): string =>
    `.g{fill:hsl(${hue} 45% ${ground}%)}.a{fill:hsl(${hue} 55% ${main}%)}.b{fill:hsl(${(hue + 30) % 360} 60% ${accent}%)}` +
    `.l{fill:none;stroke:hsl(${hue} 35% ${line}%);stroke-width:4;stroke-linecap:round;stroke-linejoin:round}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96" role="img"><title>${category}</title>`,
    `<style>${colors(93, 55, 70, 30)}@media(prefers-color-scheme:dark){${colors(17, 58, 42, 82)}}</style>`,
    `<rect class="g" width="96" height="96" rx="12"/>${shapes}</svg>\n`,
  ].join("\n");
}
