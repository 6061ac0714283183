// `npm run pictures`: draws the pictures of the demo marketplace's categories into `web/assets`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawnCategories, drawPicture, pictureFile } from "../marketplace/draw-picture.ts";
import { root } from "../workers.ts";

for (const category of drawnCategories)
  writeFileSync(join(root, "web/assets", pictureFile(category)), drawPicture(category));
console.log(`${drawnCategories.length} pictures are in web/assets.`);
