// The lock on the dashboard.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, Reader } from "./support/browser.mjs";
import { Receiver, Server } from "./support/server.mjs";

const KEY = "a-key-that-is-long-enough-0123456789";

describe("the login", () => {
  let browser;
  let server;
  let receiver;

  before(async () => {
    receiver = await Receiver.start(200);
    server = await Server.start({ ADMIN_API_KEY: KEY });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    receiver?.stop();
    await server?.stop();
  });

  test("leads to the page that was asked for, and no further without the key", async () => {
    const reader = await Reader.open(browser, {}, [/401/]);
    const page = await reader.goto(`${server.dashboard}/errors`);
    assert.match(page.url(), /\/login\?next=%2Ferrors$/);
    await page.getByLabel("Key").fill("not the key");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("alert").getByText("That is not the key.").waitFor();
    await page.getByLabel("Key").fill(KEY);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Errors" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/errors");
    const [cookie] = (await reader.context.cookies()).filter((one) => one.name === "hookyard_session");
    assert.ok(cookie.httpOnly);
    assert.equal(cookie.sameSite, "Strict");
    await reader.close();
  });

  test("opens a live page, and a logout closes it", async () => {
    const reader = await Reader.open(browser, {}, [/401/, /Failed to fetch/]);
    const page = await reader.goto(server.dashboard);
    await page.getByLabel("Key").fill(KEY);
    await page.keyboard.press("Enter");
    await reader.live();
    await server.upload(await server.register(receiver.url));
    await page.locator(".delivery", { hasText: receiver.url }).getByText("Succeeded").waitFor();
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("Key").waitFor();
    await page.goto(server.dashboard);
    assert.equal(new URL(page.url()).pathname, "/login");
    await reader.close();
  });

  test("redirects a page to the login form when its session ends", async () => {
    const reader = await Reader.open(browser, {}, [/401/]);
    const page = await reader.goto(server.dashboard);
    await page.getByLabel("Key").fill(KEY);
    await page.keyboard.press("Enter");
    await reader.live();
    await reader.context.clearCookies();
    await server.upload(await server.register(receiver.url));
    await page.getByLabel("Key").waitFor();
    await reader.close();
  });
});
