// Opens every page in headless Chromium, at desktop and phone width and in dark mode, and asks axe-core.
//   npm install --no-save axe-core puppeteer-core
//   node docs/axe.mjs docs/_build [FOLDER FOR SCREENSHOTS [PAGES]]
// PAGES is a regular expression: only pages whose names it finds.
// CHROMIUM names the browser. Prints what axe finds; exits 1 if any of it is serious or critical,
// or if a page is wider than the window.
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import puppeteer from "puppeteer-core";

const [root, shots, some = ""] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const modes = [["desktop", 1280, "light"], ["phone", 390, "light"], ["dark", 1280, "dark"]];
const pages = readdirSync(root, { recursive: true })
  .filter((name) => name.endsWith(".html") && !name.startsWith("_") && name.match(some));
const found = new Map();

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"],
});
for (const name of pages) {
  const page = await browser.newPage();
  await page.goto(`file://${resolve(root, name)}`, { waitUntil: "load" });
  await page.evaluate(axe);
  for (const [mode, width, scheme] of modes) {
    await page.setViewport({ width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    const { wide, violations } = await page.evaluate(async () => ({
      wide: document.documentElement.scrollWidth > window.innerWidth + 1,
      violations: (await axe.run(document, { resultTypes: ["violations"] })).violations,
    }));
    if (wide) note("serious", "wider than the window", `${mode} ${name}`, "");
    for (const { id, impact, nodes } of violations) {
      note(impact, id, `${mode} ${name}`, nodes[0].html.slice(0, 120));
    }
    if (shots) {
      mkdirSync(shots, { recursive: true });
      const path = join(shots, `${mode}_${name.replaceAll("/", "_")}.png`);
      await page.screenshot({ path, fullPage: true });
    }
  }
  await page.close();
}
await browser.close();

function note(impact, id, place, html) {
  const entry = found.get(id) ?? { impact, html, places: [] };
  entry.places.push(place);
  found.set(id, entry);
}

let bad = false;
for (const [id, { impact, html, places }] of found) {
  console.log(`${impact}: ${id}, ${places.length} times, first in ${places[0]}\n    ${html}`);
  bad ||= impact === "serious" || impact === "critical";
}
console.log(`${pages.length} pages in ${modes.length} modes`);
process.exitCode = bad ? 1 : 0;
