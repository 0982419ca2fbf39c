// Deliveries as a reader sees them come in, without ever reloading.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, Reader } from "./support/browser.mjs";
import { Receiver, Server } from "./support/server.mjs";

describe("the live dashboard", () => {
  let browser;
  let server;
  const receivers = [];
  const receiver = async (...statuses) => {
    receivers.push(await Receiver.start(...statuses));
    return receivers.at(-1);
  };

  before(async () => {
    server = await Server.start({ RETRY_SCHEDULE: "2s,1h" });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    receivers.forEach((one) => one.stop());
    assert.equal(await server?.stop(), 0, "a clean end");
  });

  test("the first steps are shown, then the first delivery appears", async () => {
    const good = await receiver(200);
    const reader = await Reader.open(browser);
    const page = await reader.goto(server.dashboard);
    await page.getByText("Two commands make the first delivery").waitFor();
    await page.getByText(`${server.api}/webhook/register`).waitFor();
    await reader.live();
    await page.evaluate(() => { window.neverReloaded = true; });

    await server.upload(await server.register(good.url), "a/b <c>.csv");
    const row = page.locator(".delivery", { hasText: good.url });
    await row.getByText("Succeeded").waitFor();
    await page.locator("#tile-delivered .tile-value", { hasText: /^1$/ }).waitFor();
    await page.locator("#tile-accepted .tile-value", { hasText: /^1$/ }).waitFor();
    await page.locator(".process-name").first().waitFor();
    assert.equal(await page.getByText("Two commands make the first delivery").count(), 0);
    assert.ok(await page.evaluate(() => window.neverReloaded), "without a reload");
    assert.ok(await page.locator("#chart canvas").isVisible());
    await page.getByText("As a table").click();
    const minute = page.locator("#minutes tr", { hasText: "last minute" });
    await minute.locator("td").first().filter({ hasText: /^1$/ }).waitFor();
    await reader.close();
  });

  test("its page shows what was sent and what came back", async () => {
    const reader = await Reader.open(browser);
    const page = await reader.goto(server.dashboard);
    await page.locator(".delivery", { hasText: "Succeeded" }).first().click();
    await page.getByText("Delivered on the first attempt: the receiver answered 200").waitFor();
    await page.getByText("<h1>answered 200</h1>").waitFor();
    const sent = await page.locator("#body-text").textContent();
    assert.equal(sent.replace(/\s/g, ""), receivers[0].calls[0].body.replace(/\s/g, ""));
    const headers = page.getByRole("region", { name: "Request of attempt 1" });
    await headers.getByText(receivers[0].calls[0].headers["webhook-id"]).waitFor();
    await page.getByText("Show the upload").click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.getByText("Processed", { exact: true }).first().waitFor();
    await reader.close();
  });

  test("a delivery that fails at first is watched until it arrives", async () => {
    const flaky = await receiver(503, 200);
    const reader = await Reader.open(browser);
    const page = await reader.goto(server.dashboard);
    await reader.live();
    await server.upload(await server.register(flaky.url));
    await page.locator(".delivery", { hasText: flaky.url }).click();
    await reader.live();
    await page.evaluate(() => { window.neverReloaded = true; });
    await page.getByText("Delivered on attempt 2: the receiver answered 200").waitFor();
    await page.getByText("<h1>answered 503</h1>").first().waitFor({ state: "attached" });
    assert.equal(await page.locator(".attempt").count(), 2);
    assert.ok(await page.evaluate(() => window.neverReloaded), "without a reload");
    await page.goto(`${server.dashboard}/errors`);
    await page.getByRole("link", { name: /delivery/ }).first().click();
    await page.locator("#attempts").waitFor();
    await reader.close();
  });

  test("an opened attempt stays open while the page updates", async () => {
    const down = await receiver(500);
    const reader = await Reader.open(browser);
    const page = await reader.goto(server.dashboard);
    await reader.live();
    await server.upload(await server.register(down.url));
    await page.locator(".delivery", { hasText: down.url }).click();
    const first = page.locator(".attempt", { hasText: "#1" });
    await first.waitFor();
    await reader.live();
    if (!(await first.evaluate((one) => one.open))) await first.locator("summary").click();
    await page.locator(".attempt", { hasText: "#2" }).waitFor();
    assert.ok(await first.evaluate((one) => one.open));
    await page.getByText("It is kept as a dead letter").or(page.getByText("The next attempt is due in")).first().waitFor();
    await reader.close();
  });

  test("ids are copied with and without the clipboard of secure pages", async () => {
    for (const secure of [true, false]) {
      const reader = await Reader.open(browser, secure ? { permissions: ["clipboard-write"] } : {});
      if (!secure) await reader.page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
      const page = await reader.goto(server.dashboard);
      await page.locator(".delivery").first().click();
      const button = page.locator('[data-copy="delivery-id"]');
      await button.click();
      await button.filter({ hasText: "Copied" }).waitFor();
      await reader.close();
    }
  });

  test("every one of many loads opens its stream", async () => {
    const reader = await Reader.open(browser);
    for (let load = 0; load < 25; load += 1) {
      await reader.goto(server.dashboard);
      await reader.live();
    }
    await reader.close();
  });

  test("a page outlives a restart of the server", async () => {
    const reader = await Reader.open(browser, {}, [/ERR_CONNECTION_REFUSED/, /Failed to load resource/, /ERR_/, /network error/i, /Failed to fetch/]);
    const page = await reader.goto(server.dashboard);
    await reader.live();
    assert.equal(await server.halt(), 0, "an open stream does not hold up the stop");
    await page.locator('#live[data-state="lost"]').waitFor();
    await server.launch();
    await reader.live();
    const good = await receiver(200);
    await server.upload(await server.register(good.url));
    await page.locator(".delivery", { hasText: good.url }).getByText("Succeeded").waitFor();
    await reader.close();
  });
});
