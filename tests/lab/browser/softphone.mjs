// softphone.mjs: JsSIP in a real, headless Chromium, driven by lines on stdin and telling on stdout, each line one JSON value.
//
//   {"do":"open","as":NAME,"url":"wss://…/ws","user":U,"password":P}   connects and registers
//   {"do":"call","as":NAME,"to":"echo"}                               calls
//   {"do":"tell","as":NAME}                                           what has become of it: see `told` below
//   {"do":"close","as":NAME}                                          leaves
//
// Arguments: the SHA-256 (base64) of each public key that Chromium is to take although it does not know the issuer.
import { createInterface } from 'node:readline';
import http from 'node:http';
import { buildSync } from 'esbuild';
import { chromium } from 'playwright-core';

const bundle = buildSync({
  stdin: { contents: "import JsSIP from 'jssip'; window.JsSIP = JsSIP", resolveDir: process.cwd() },
  bundle: true, write: false, format: 'iife',
}).outputFiles[0].text;
// A page of http://127.0.0.1 is a secure context, so that it may use the microphone.
const pages = http.createServer((_, answer) => {
  answer.setHeader('content-type', 'text/html');
  answer.end('<!doctype html><title>softphone</title>');
}).listen(0, '127.0.0.1');
await new Promise((listening) => pages.once('listening', listening));
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
    '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--disable-features=WebRtcHideLocalIpsWithMdns',
    `--ignore-certificate-errors-spki-list=${process.argv.slice(2).join(',')}`,
  ],
});
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${pages.address().port}`);
await page.addScriptTag({ content: bundle });
await page.evaluate(() => {
  window.phones = {};
  window.acts = {
    open({ as, url, user, password }) {
      const phone = { connects: 0, disconnects: 0, code: null, registered: false, registrations: 0, call: null, ended: null };
      phone.agent = new JsSIP.UA({
        sockets: [new JsSIP.WebSocketInterface(url)], uri: `sip:${user}@127.0.0.1`, password, register: true, register_expires: 60,
        session_timers: false, connection_recovery_min_interval: 60, connection_recovery_max_interval: 90,
      });
      phone.agent.on('connected', () => { phone.connects += 1; });
      phone.agent.on('disconnected', ({ code }) => { phone.disconnects += 1; phone.code = code ?? null; phone.registered = false; });
      phone.agent.on('registered', () => { phone.registered = true; phone.registrations += 1; });
      phone.agent.on('unregistered', () => { phone.registered = false; });
      phone.agent.on('registrationFailed', ({ cause }) => { phone.registered = false; phone.failed = cause; });
      window.phones[as] = phone;
      phone.agent.start();
    },
    call({ as, to }) {
      const phone = window.phones[as];
      phone.call = 'calling';
      phone.session = phone.agent.call(`sip:${to}@127.0.0.1`, {
        mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] },
        eventHandlers: {
          confirmed: () => { phone.call = 'up'; },
          ended: ({ cause }) => { phone.call = 'ended'; phone.ended = cause; },
          failed: ({ cause }) => { phone.call = 'failed'; phone.ended = cause; },
        },
      });
    },
    // How many RTP packets came back is asked of the browser itself.
    async tell({ as }) {
      const { agent, session, ...told } = window.phones[as];
      let packets = 0;
      if (session?.connection && session.connection.signalingState !== 'closed') {
        for (const report of (await session.connection.getStats()).values()) {
          if (report.type === 'inbound-rtp') packets += report.packetsReceived;
        }
      }
      return { ...told, packets };
    },
    close({ as }) { window.phones[as].agent.stop(); },
  };
});
console.log(JSON.stringify({ ready: browser.version() }));
for await (const line of createInterface({ input: process.stdin })) {
  const act = JSON.parse(line);
  const told = await page.evaluate((act) => window.acts[act.do](act), act);
  console.log(JSON.stringify(told ?? {}));
}
await browser.close();
pages.close();
