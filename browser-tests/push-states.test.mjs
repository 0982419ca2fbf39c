// States that prevent a subscription: each shows a message, none breaks the page.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, Reader } from "./support/browser.mjs";
import { block, freshKeys } from "./support/push.mjs";
import { Server } from "./support/server.mjs";

const GRANTED = { permissions: ["notifications"] };
const NAME = "hooks.example.org";

describe("the push page, where it can't be", () => {
  let browser;
  let server;
  let without;

  before(async () => {
    server = await Server.start({ ...freshKeys(), PUBLIC_URL: `http://${NAME}` });
    without = await Server.start();
    browser = await launch(`--host-resolver-rules=MAP ${NAME} 127.0.0.1`);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await without?.stop();
  });

  async function open(url, { options = GRANTED, allow = [], init, prepare } = {}) {
    const reader = await Reader.open(browser, options, allow);
    if (init) await reader.page.addInitScript(init);
    await prepare?.(reader);
    await reader.goto(`${url}/push/`);
    return reader;
  }

  const buttons = (reader) => reader.page.getByRole("button").allTextContents();

  test("no VAPID settings: says which, and what makes them", async () => {
    const reader = await open(without.api, { allow: [/501/] });
    await reader.says("unset");
    for (const name of ["VAPID_PRIVATE_KEY", "VAPID_PUBLIC_KEY", "VAPID_EMAIL", "hookyard keys vapid"]) {
      await reader.page.locator("#state-text code", { hasText: name }).waitFor();
    }
    assert.deepEqual(await buttons(reader), ["Look again"]);
    await reader.close();
  });

  test("no push service: says why there may be none, and lets one try again", async () => {
    const reader = await open(server.api, { allow: [/Push API in incognito/] });
    await reader.says("ready");
    await reader.page.getByRole("button", { name: "Subscribe" }).click();
    await reader.says("noservice");
    assert.deepEqual(await buttons(reader), ["Subscribe again"]);
    await reader.close();
  });

  test("notifications are blocked: says where that is changed", async () => {
    const reader = await open(server.api, { prepare: (blocked) => block(blocked, server.api) });
    await reader.says("denied");
    assert.deepEqual(await buttons(reader), ["Look again"]);
    await reader.close();
  });

  test("an address that is not secure: says which are", async () => {
    const url = new URL(server.api);
    url.hostname = NAME;
    const reader = await open(url.origin, { allow: [/insecure|not secure|untrustworthy/i] });
    assert.equal(await reader.page.evaluate(() => window.isSecureContext), false);
    await reader.says("insecure");
    assert.deepEqual(await buttons(reader), []);
    await reader.close();
  });

  test("a browser without push messages: says what helps on an iPhone", async () => {
    const reader = await open(server.api, { init: () => { delete window.PushManager; } });
    await reader.says("unsupported");
    await reader.page.getByText("Home Screen").waitFor();
    assert.deepEqual(await buttons(reader), []);
    await reader.close();
  });

  test("a server that is away, and comes back", async () => {
    const reader = await open(server.api, { allow: [/503/, /ERR_/] });
    await reader.says("ready");
    const again = () => reader.page.getByRole("button", { name: "Look again" }).click();
    for (const answer of [(route) => route.abort(), (route) => route.fulfill({ status: 503, body: "away" })]) {
      await reader.page.route("**/api/push/vapid-key", answer);
      await reader.page.reload();
      await reader.says("away");
      await reader.page.unroute("**/api/push/vapid-key");
      await again();
      await reader.says("ready");
    }
    await reader.close();
  });

  test("a server that asks for patience", async () => {
    const reader = await open(server.api, { allow: [/429/] });
    await reader.says("ready");
    await reader.page.route("**/api/push/vapid-key", (route) => route.fulfill({ status: 429, json: { detail: "too many" } }));
    await reader.page.reload();
    await reader.says("slow");
    await reader.close();
  });

  test("no scripts: says that they are needed", async () => {
    const reader = await open(server.api, { options: { javaScriptEnabled: false } });
    assert.match(await reader.page.locator("noscript").innerText(), /needs JavaScript/);
    await reader.close();
  });
});
