import { describe, expect, it } from "vitest";
import { parseOpeningHours } from "./read-details.ts";
import { readProducts } from "./testing.ts";

describe("parseOpeningHours", () => {
  it("reads days, ranges of days and several times", () => {
    expect(parseOpeningHours("Mo-We,Fr 9:00-12:00,13:30-18:00; Sa-Su 20:00-02:00")).toEqual([
      { days: ["monday", "tuesday", "wednesday", "friday"], opens: "09:00", closes: "12:00" },
      { days: ["monday", "tuesday", "wednesday", "friday"], opens: "13:30", closes: "18:00" },
      { days: ["saturday", "sunday"], opens: "20:00", closes: "02:00" },
    ]);
    expect(parseOpeningHours("Su-Mo 00:00-24:00")?.[0].days).toEqual(["sunday", "monday"]);
  });

  it("returns null for a text of another form", () => {
    for (const text of ["", "24/7", "every day", "Mo 9-18", "Mo-Xx 09:00-18:00"])
      expect(parseOpeningHours(text), text).toBeNull();
  });
});

describe("a product file", () => {
  const columns = [
    "item_id",
    "title",
    "brand",
    "image_link",
    "sale_until",
    "opening_hours",
    "service_radius_km",
  ];
  const header = columns.map((name) => `${name}:token`).join("\t");

  it("may hold details, and reports those that cannot be read", () => {
    const good = [
      "1",
      "Cup",
      " Acme ",
      "https://a.example/1.jpg /2.jpg",
      "2026-12-01T00:00:00+01:00",
      "Mo 9:00-18:00",
      "5",
    ];
    const bad = ["2", "Pan", "Acme", "pan.jpg", "soon", "always", "-1"];
    const { dataset, absent } = readProducts([header, good.join("\t"), bad.join("\t")]);
    expect(dataset.items.get("1")?.details).toEqual({
      brand: "Acme",
      images: ["https://a.example/1.jpg", "/2.jpg"],
      saleUntil: "2026-11-30T23:00:00.000Z",
      openingHours: [{ days: ["monday"], opens: "09:00", closes: "18:00" }],
      serviceRadiusKm: 5,
    });
    expect(dataset.items.get("2")?.details).toEqual({ brand: "Acme" });
    expect(absent.map(({ column }) => column)).toEqual(columns.slice(3));
  });
});
