import { chromium } from "playwright-core";
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox","--disable-quic","--no-first-run","--disable-background-networking","--disable-component-update","--disable-sync"] });
const only = process.argv[2];
async function shot(name, url, opts = {}) {
  if (only && !name.includes(only)) return;
  const ctx = await browser.newContext({ colorScheme: opts.dark ? "dark" : "light", viewport: { width: opts.width ?? 1280, height: 900 }, deviceScaleFactor: 1 });
  const page = await ctx.newPage();
  page.on("console", m => { if (["error","warning"].includes(m.type())) console.log(name, m.type(), m.text()); });
  page.on("pageerror", e => console.log(name, "pageerror", e.message));
  await page.goto(url);
  if (opts.act) await opts.act(page);
  await page.waitForTimeout(opts.wait ?? 1500);
  const w = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (w[0] > w[1]) console.log(name, "SCROLLS", w);
  await page.screenshot({ path: `/tmp/shots/${name}.png`, fullPage: true });
  await ctx.close();
}
const pick = (label) => async (page) => { await page.locator(".delivery", { hasText: label }).first().click(); await page.waitForURL(/deliveries/); };
for (const dark of [false, true]) {
  const s = dark ? "-dark" : "";
  await shot("overview" + s, "http://127.0.0.1:5561/", { dark });
  await shot("overview-390" + s, "http://127.0.0.1:5561/", { dark, width: 390 });
  await shot("empty" + s, "http://127.0.0.1:5562/", { dark });
  await shot("empty-390" + s, "http://127.0.0.1:5562/", { dark, width: 390 });
  await shot("login" + s, "http://127.0.0.1:5563/", { dark });
  await shot("errors" + s, "http://127.0.0.1:5561/errors", { dark });
  await shot("errors-390" + s, "http://127.0.0.1:5561/errors", { dark, width: 390 });
  await shot("delivery" + s, "http://127.0.0.1:5561/", { dark, act: pick("Succeeded") });
  await shot("failing" + s, "http://127.0.0.1:5561/", { dark, act: pick("Failing") });
  await shot("failing-390" + s, "http://127.0.0.1:5561/", { dark, width: 390, act: pick("Failing") });
  await shot("dead" + s, "http://127.0.0.1:5561/", { dark, act: pick("Dead") });
  await shot("upload" + s, "http://127.0.0.1:5561/", { dark, act: async (p) => { await pick("Succeeded")(p); await p.getByText("Show the upload").click(); await p.waitForURL(/uploads/); } });
  await shot("404" + s, "http://127.0.0.1:5561/nope", { dark });
}
await browser.close();
