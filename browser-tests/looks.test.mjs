// Both themes, small screens, readable contrast. Leaves pictures in `pictures/`.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { launch, Reader } from "./support/browser.mjs";
import { lowContrast } from "./support/contrast.mjs";
import { Receiver, Server } from "./support/server.mjs";

const PICTURES = new URL("pictures/", import.meta.url).pathname;

describe("the looks", () => {
  let browser;
  let server;
  let receivers;
  let pages;

  before(async () => {
    await mkdir(PICTURES, { recursive: true });
    receivers = await Promise.all([Receiver.start(200), Receiver.start(503), Receiver.start(410)]);
    server = await Server.start();
    browser = await launch();
    for (const receiver of receivers) {
      const long = `${receiver.url}/${"a-long-path/".repeat(20)}`;
      await server.upload(await server.register(long, "9007199254740993"), "a file with a rather long name.csv");
    }
    pages = await collectPages();
  });
  after(async () => {
    await browser?.close();
    receivers?.forEach((one) => one.stop());
    await server?.stop();
  });

  async function collectPages() {
    const reader = await Reader.open(browser);
    const page = await reader.goto(server.dashboard);
    await page.getByText("Succeeded").first().waitFor();
    await page.locator(".badge", { hasText: "Failing" }).first().waitFor();
    const links = (name) => page.locator(".delivery", { hasText: name }).first().getAttribute("href");
    const [good, failing] = [await links("Succeeded"), await links("Failing")];
    await page.goto(server.dashboard + good);
    const upload = await page.getByText("Show the upload").getAttribute("href");
    await reader.close();
    return { overview: "/", errors: "/errors", delivered: good, failing, upload, missing: "/nope" };
  }

  for (const theme of ["light", "dark"]) {
    test(`every page is readable in the ${theme} theme and fits a small screen`, async () => {
      for (const [name, path] of Object.entries(pages)) {
        for (const width of [1280, 390]) {
          const options = { colorScheme: theme, viewport: { width, height: 900 }, reducedMotion: "reduce" };
          const reader = await Reader.open(browser, options, name === "missing" ? [/404/] : []);
          const page = await reader.goto(server.dashboard + path);
          if (await page.locator("#live").count()) await reader.live();
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          assert.ok(wide <= 0, `${name} at ${width} px is ${wide} px too wide`);
          assert.deepEqual(await lowContrast(page), [], `${name}, ${theme}`);
          await page.screenshot({ path: `${PICTURES}${name}-${width}-${theme}.png`, fullPage: true });
          await reader.close();
        }
      }
    });
  }

  test("numbers beyond 2^53 are shown digit by digit", async () => {
    const reader = await Reader.open(browser);
    const page = await reader.goto(server.dashboard + pages.delivered);
    await page.getByText("9007199254740993", { exact: true }).waitFor();
    await reader.close();
  });

  test("the theme is switched, kept, and reset to the system's", async () => {
    const reader = await Reader.open(browser, { colorScheme: "light" });
    const page = await reader.goto(server.dashboard);
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await page.getByRole("button", { name: "Switch to the dark theme" }).click();
    const dark = await paper();
    assert.notEqual(dark, light);
    await page.reload();
    assert.equal(await paper(), dark);
    assert.equal(await page.locator("html").getAttribute("data-theme"), "dark");
    await page.getByRole("button", { name: "Switch to the light theme" }).click();
    await page.reload();
    assert.equal(await paper(), light);
    assert.equal(await page.locator("html").getAttribute("data-theme"), null);
    await reader.close();
  });

  test("the page is walked through by keyboard", async () => {
    const reader = await Reader.open(browser);
    const page = await reader.goto(server.dashboard);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to content");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, "solid", "what has the focus shows it");
    await reader.close();
  });
});
