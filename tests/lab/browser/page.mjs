// page.mjs: readers of a page in a real, headless Chromium, driven by lines on stdin and telling on stdout, each line one JSON value.
//
//   {"do":"open","as":NAME,"url":URL,"width":N,"theme":"light"|"dark","lang":TAG,"script":BOOL}
//   {"do":"read","as":NAME}                    what stands there, where its requests went, and what Chromium complained of
//   {"do":"press","as":NAME,"on":SELECTOR}     clicks; tells what the clipboard holds then
//   {"do":"tab","as":NAME,"times":N}           presses Tab; tells what has the focus, and whether that is seen
//   {"do":"axe","as":NAME}                     what axe-core finds against the page
//   {"do":"picture","as":NAME,"to":FILE}       the whole page, as PNG
//   {"do":"close","as":NAME}
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--disable-dev-shm-usage'],
});
const readers = {};
const acts = {
  async open({ as, url, width, theme, lang, script }) {
    const context = await browser.newContext({
      viewport: { width, height: 900 }, colorScheme: theme, locale: lang, javaScriptEnabled: script, permissions: ['clipboard-read', 'clipboard-write'],
    });
    const page = await context.newPage();
    const reader = { context, page, requests: [], complaints: [] };
    page.on('request', (request) => reader.requests.push(request.url()));
    page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) reader.complaints.push(message.text()); });
    page.on('pageerror', (error) => reader.complaints.push(String(error)));
    readers[as] = reader;
    await page.goto(url, { waitUntil: 'load' });
  },
  async read({ as }) {
    const { page, requests, complaints } = readers[as];
    const text = await page.locator('main').innerText();
    return {
      text, requests, complaints, title: await page.title(), lang: await page.locator('html').getAttribute('lang'),
      said: await page.locator('#said').textContent(), lost: await page.locator('#lost').isVisible(),
      wide: await page.locator('body').evaluate((body) => body.ownerDocument.documentElement.scrollWidth).catch(() => null),
    };
  },
  async press({ as, on }) {
    const { page } = readers[as];
    await page.locator(on).first().click();
    await page.waitForFunction((on) => document.querySelector(on).textContent === document.querySelector(on).dataset.done, on);
    return { clipboard: await page.evaluate(() => navigator.clipboard.readText()) };
  },
  async tab({ as, times }) {
    const { page } = readers[as];
    const seen = [];
    for (let time = 0; time < times; time += 1) {
      await page.keyboard.press('Tab');
      seen.push(await page.evaluate(() => {
        const at = document.activeElement;
        return { name: (at.textContent || at.id).trim().slice(0, 40), seen: getComputedStyle(at).outlineStyle !== 'none' };
      }));
    }
    return { seen };
  },
  // By Chromium's own door, so that the page's policy need not be loosened for it.
  async axe({ as }) {
    const { page } = readers[as];
    const world = await page.context().newCDPSession(page);
    await world.send('Runtime.evaluate', { expression: axe });
    const { result } = await world.send('Runtime.evaluate', {
      expression: 'axe.run(document).then(({ violations, passes }) => JSON.stringify({ passes: passes.length, violations: violations.map((v) => '
        + '({ id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.map((n) => n.html + " " + n.failureSummary) })) }))',
      awaitPromise: true, returnByValue: true,
    });
    return JSON.parse(result.value);
  },
  async picture({ as, to }) { await readers[as].page.screenshot({ path: to, fullPage: true }); },
  async close({ as }) { await readers[as].context.close(); },
};
console.log(JSON.stringify({ ready: browser.version() }));
for await (const line of createInterface({ input: process.stdin })) {
  const act = JSON.parse(line);
  try {
    console.log(JSON.stringify((await acts[act.do](act)) ?? {}));
  } catch (error) {
    console.log(JSON.stringify({ failed: String(error) }));
  }
}
await browser.close();
