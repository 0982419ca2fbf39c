// The push page in both schemes, on small screens, with readable contrast. Leaves pictures in `pictures/`.
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { launch, Reader } from "./support/browser.mjs";
import { lowContrast } from "./support/contrast.mjs";
import { PushService, block, deliver, freshKeys, standIn } from "./support/push.mjs";
import { Server } from "./support/server.mjs";

const PICTURES = new URL("pictures/", import.meta.url).pathname;
const MESSAGE = JSON.stringify({
  title: "A title that goes on for rather longer than one line of a small screen can hold",
  body: `Two lines,\nand https://a.example/${"a-long-path/".repeat(12)}`,
  event_id: "e",
});

describe("the looks of the push page", () => {
  let browser;
  let server;
  let without;
  let service;

  before(async () => {
    await mkdir(PICTURES, { recursive: true });
    service = await PushService.start();
    server = await Server.start(freshKeys());
    without = await Server.start();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    service?.stop();
    await server?.stop();
    await without?.stop();
  });

  const scenes = {
    unset: async (reader) => {
      await reader.goto(`${without.api}/push/`);
      await reader.says("unset");
    },
    ready: async (reader) => {
      await reader.goto(`${server.api}/push/`);
      await reader.says("ready");
    },
    denied: async (reader) => {
      await block(reader, server.api);
      await reader.goto(`${server.api}/push/`);
      await reader.says("denied");
    },
    subscribed: async (reader) => {
      await scenes.ready(reader);
      await reader.page.getByRole("button", { name: "Subscribe" }).click();
      await reader.says("subscribed");
      await deliver(reader, server.api, MESSAGE);
      await reader.page.locator("#arrived li").waitFor();
    },
  };

  for (const scheme of ["light", "dark"]) {
    for (const [name, play] of Object.entries(scenes)) {
      test(`"${name}" is readable in the ${scheme} scheme and fits small screens`, async () => {
        for (const width of [1280, 390, 320]) {
          const options = { colorScheme: scheme, viewport: { width, height: 800 }, permissions: ["notifications"] };
          const reader = await Reader.open(browser, options, [/501/]);
          await reader.page.addInitScript(standIn, service.subscription());
          await play(reader);
          const wide = await reader.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          assert.ok(wide <= 0, `${width} px is ${wide} px too wide`);
          assert.deepEqual(await lowContrast(reader.page), []);
          await reader.page.screenshot({ path: `${PICTURES}push-${name}-${width}-${scheme}.png`, fullPage: true });
          await reader.close();
        }
      });
    }
  }
});
