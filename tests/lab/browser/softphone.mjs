// softphone.mjs: JsSIP and SIP.js in a real, headless Chromium, driven by lines on stdin and telling on stdout, each line one JSON value.
//
//   {"do":"open","as":NAME,"url":"wss://…/ws","uri":"sip:…","password":P}   connects and registers, in a profile that no other phone has meanwhile
//   {"do":"openSipJs",…}                                                   the same with SIP.js
//   {"do":"call","as":NAME,"to":"sip:…"}                                   calls, with JsSIP
//   {"do":"tell","as":NAME}                                                what has become of it: see `told` below
//   {"do":"close","as":NAME}                                               leaves
//
// Arguments: certificate and key of the page that holds the phones, https://phone.example.com; and which names lead where, as Chromium's
// `--host-resolver-rules` wants it. Whom Chromium trusts is in $HOME/.pki/nssdb.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { createInterface } from 'node:readline';
import { buildSync } from 'esbuild';
import { chromium } from 'playwright-core';

const [cert, key, rules] = process.argv.slice(2);
const bundle = buildSync({
  stdin: {
    contents: "import JsSIP from 'jssip'; import * as SIP from 'sip.js'; Object.assign(window, { JsSIP, SIP })", resolveDir: process.cwd(),
  },
  bundle: true, write: false, format: 'iife',
}).outputFiles[0].text;
const server = https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, answer) => {
  const script = request.url === '/sip.js';
  answer.setHeader('content-type', script ? 'text/javascript' : 'text/html');
  answer.end(script ? bundle : '<!doctype html><title>softphone</title><script src="/sip.js"></script>');
}).listen(0, '127.0.0.1');
await new Promise((listening) => server.once('listening', listening));
const origin = `https://phone.example.com:${server.address().port}`;
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
    '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--disable-features=WebRtcHideLocalIpsWithMdns',
    `--host-resolver-rules=MAP phone.example.com 127.0.0.1,${rules}`,
  ],
});
// Pages of phones, each in a profile of its own; those whose phone has left are taken again.
const phones = new Map();
const free = [];

// What runs inside the page. One page holds one phone.
const inside = {
  open({ url, uri, password }) {
    const phone = {
      connects: 0, disconnects: 0, code: null, registered: false, registrations: 0, failed: null, status: null, thrown: null,
      call: null, ended: null,
    };
    window.phone = phone;
    // JsSIP keeps to itself what the constructor throws.
    window.WebSocket = new Proxy(window.WebSocket, {
      construct(target, given) {
        try { return new target(...given); } catch (error) { phone.thrown = error.name; throw error; }
      },
    });
    let socket;
    try { socket = new window.JsSIP.WebSocketInterface(url); } catch (error) { phone.thrown = error.name; return; }
    const agent = new window.JsSIP.UA({
      sockets: [socket], uri, password, register: true, register_expires: 60,
      session_timers: false, connection_recovery_min_interval: 60, connection_recovery_max_interval: 90,
    });
    agent.on('connected', () => { phone.connects += 1; });
    agent.on('disconnected', ({ code }) => { phone.disconnects += 1; phone.code = code ?? null; phone.registered = false; });
    agent.on('registered', () => { phone.registered = true; phone.registrations += 1; });
    agent.on('unregistered', () => { phone.registered = false; });
    agent.on('registrationFailed', ({ cause, response }) => {
      phone.registered = false; phone.failed = cause; phone.status = response?.status_code ?? null;
    });
    window.agent = agent;
    agent.start();
  },
  // What SIP.js says in its own words is told in those of the other.
  openSipJs({ url, uri, password }) {
    const { UserAgent, Registerer, RegistererState } = window.SIP;
    const phone = { connects: 0, disconnects: 0, code: null, registered: false, failed: null, status: null, thrown: null };
    window.phone = phone;
    const gone = (error) => {
      phone.disconnects += 1;
      phone.code = Number(/code: (\d+)/.exec(error?.message)?.[1] ?? NaN) || null;
      phone.registered = false;
    };
    const server = UserAgent.makeURI(uri);
    const agent = new UserAgent({
      uri: server, authorizationUsername: server.user, authorizationPassword: password, logBuiltinEnabled: false,
      transportOptions: { server: url, connectionTimeout: 60 },
      delegate: { onConnect: () => { phone.connects += 1; }, onDisconnect: gone },
    });
    const registerer = new Registerer(agent, { expires: 60 });
    registerer.stateChange.addListener((state) => { phone.registered = state === RegistererState.Registered; });
    const onReject = ({ message }) => { phone.failed = message.reasonPhrase; phone.status = message.statusCode; };
    window.agent = {
      isConnected: () => agent.isConnected(), on: (_, done) => agent.transport.stateChange.addListener(done), stop: () => agent.stop(),
    };
    agent.start().then(
      () => registerer.register({ requestDelegate: { onReject } }),
      (error) => { if (phone.connects === 0 && phone.disconnects === 0) gone(error); },
    );
  },
  call({ to }) {
    const { agent, phone } = window;
    phone.call = 'calling';
    window.session = agent.call(to, {
      mediaConstraints: { audio: true, video: false }, pcConfig: { iceServers: [] },
      eventHandlers: {
        confirmed: () => { phone.call = 'up'; },
        ended: ({ cause }) => { phone.call = 'ended'; phone.ended = cause; },
        failed: ({ cause }) => { phone.call = 'failed'; phone.ended = cause; },
      },
    });
  },
  // How many RTP packets came back is asked of the browser itself.
  async tell() {
    const { phone, session } = window;
    let packets = 0;
    if (session?.connection && session.connection.signalingState !== 'closed') {
      for (const report of (await session.connection.getStats()).values()) {
        if (report.type === 'inbound-rtp') packets += report.packetsReceived;
      }
    }
    return { ...phone, packets };
  },
  // Says goodbye to SIP and to the WebSocket, if the other side lets it.
  close() {
    const { agent } = window;
    return agent && new Promise((gone) => {
      agent.on('disconnected', gone);
      setTimeout(gone, agent.isConnected() ? 1000 : 0);
      agent.stop();
    });
  },
};

async function act({ do: what, as, ...rest }) {
  if (what.startsWith('open')) {
    phones.set(as, free.pop() ?? (await (await browser.newContext()).newPage()));
    await phones.get(as).goto(origin);
  }
  const page = phones.get(as);
  const told = await page.evaluate(inside[what], rest);
  if (what === 'close') {
    // What the next page does not know of ends with this one.
    await page.goto('about:blank');
    phones.delete(as);
    free.push(page);
  }
  return told;
}

console.log(JSON.stringify({ ready: browser.version(), origin }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify((await act(JSON.parse(line))) ?? {}));
}
await browser.close();
server.close();
