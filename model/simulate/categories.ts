/** A category of the simulated marketplace. */
export interface SimulatedCategory {
  name: string;
  /** Typical price in euros, and the words of which titles are made. */
  price: number;
  adjectives: readonly string[];
  nouns: readonly string[];
  /** How wanted it is by local hour, relative: given at hours 0, 3, 6 ... 21, interpolated between. */
  day: readonly [number, number, number, number, number, number, number, number];
  /** Factor on Saturdays and Sundays. */
  weekend: number;
  /** The category that people tend to want next. */
  next: string;
}

/** Twelve categories with rhythms that differ. */
export const simulatedCategories: readonly SimulatedCategory[] = [
  {
    name: "coffee",
    price: 4,
    adjectives: ["Slow", "Roasted", "Corner", "Morning"],
    nouns: ["Flat White", "Espresso", "Filter", "Cappuccino"],
    day: [0.1, 0.05, 1.5, 2.5, 1.2, 1.5, 0.6, 0.3],
    weekend: 0.9,
    next: "bakery",
  },
  {
    name: "bakery",
    price: 5,
    adjectives: ["Golden", "Warm", "Rye", "Butter"],
    nouns: ["Croissant", "Loaf", "Bun", "Tart"],
    day: [0.1, 0.2, 2, 2.2, 1, 0.9, 0.5, 0.2],
    weekend: 1.3,
    next: "groceries",
  },
  {
    name: "lunch",
    price: 12,
    adjectives: ["Green", "Quick", "Hearty", "Daily"],
    nouns: ["Bowl", "Sandwich", "Soup", "Plate"],
    day: [0, 0, 0.1, 0.6, 3, 0.8, 0.4, 0.2],
    weekend: 0.6,
    next: "coffee",
  },
  {
    name: "dinner",
    price: 28,
    adjectives: ["Fire", "House", "Seasonal", "Long"],
    nouns: ["Table", "Tasting", "Grill", "Noodles"],
    day: [0.2, 0, 0, 0.1, 0.8, 0.5, 3, 1.8],
    weekend: 1.5,
    next: "bars",
  },
  {
    name: "bars",
    price: 11,
    adjectives: ["Velvet", "Low", "Copper", "Late"],
    nouns: ["Cocktail", "Pint", "Highball", "Spritz"],
    day: [1.6, 0.4, 0, 0, 0.2, 0.5, 1.6, 3],
    weekend: 1.8,
    next: "dinner",
  },
  {
    name: "groceries",
    price: 18,
    adjectives: ["Local", "Fresh", "Market", "Family"],
    nouns: ["Box", "Basket", "Greens", "Pantry"],
    day: [0.1, 0.1, 0.8, 1.2, 1, 1.4, 2, 0.6],
    weekend: 1.2,
    next: "home",
  },
  {
    name: "fashion",
    price: 55,
    adjectives: ["Linen", "Classic", "Urban", "Soft"],
    nouns: ["Jacket", "Shirt", "Dress", "Sneakers"],
    day: [0.2, 0, 0.1, 0.7, 1.4, 1.6, 1.4, 0.8],
    weekend: 1.6,
    next: "beauty",
  },
  {
    name: "beauty",
    price: 32,
    adjectives: ["Clear", "Bright", "Calm", "Pure"],
    nouns: ["Serum", "Haircut", "Manicure", "Balm"],
    day: [0.1, 0, 0.2, 1, 1.2, 1.6, 1.2, 0.6],
    weekend: 1.3,
    next: "fashion",
  },
  {
    name: "books",
    price: 16,
    adjectives: ["Quiet", "Second", "Paper", "Small"],
    nouns: ["Novel", "Atlas", "Comic", "Essay"],
    day: [0.3, 0.1, 0.3, 0.8, 1.2, 1.4, 1.2, 1],
    weekend: 1.3,
    next: "coffee",
  },
  {
    name: "fitness",
    price: 20,
    adjectives: ["Early", "Open", "Strong", "Flow"],
    nouns: ["Class", "Session", "Climb", "Swim"],
    day: [0, 0.1, 2.4, 1, 0.8, 1.2, 2.2, 0.5],
    weekend: 0.9,
    next: "lunch",
  },
  {
    name: "home",
    price: 42,
    adjectives: ["Oak", "Nordic", "Clay", "Plain"],
    nouns: ["Lamp", "Chair", "Vase", "Shelf"],
    day: [0.2, 0, 0.2, 0.8, 1.2, 1.4, 1.4, 0.8],
    weekend: 1.7,
    next: "groceries",
  },
  {
    name: "electronics",
    price: 120,
    adjectives: ["Smart", "Mini", "Clear", "Pocket"],
    nouns: ["Speaker", "Charger", "Watch", "Camera"],
    day: [0.4, 0.1, 0.2, 0.8, 1.2, 1.3, 1.5, 1.2],
    weekend: 1.3,
    next: "home",
  },
];

/** How wanted a category is at a local hour of a weekday (0 Monday). */
export function wanted(category: SimulatedCategory, hour: number, weekday: number): number {
  const at = hour / 3;
  const before = Math.floor(at) % 8;
  const share = at - Math.floor(at);
  const level = category.day[before] * (1 - share) + category.day[(before + 1) % 8] * share;
  return level * (weekday >= 5 ? category.weekend : 1);
}
