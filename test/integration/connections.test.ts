import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Listener, listen } from '../../src/host/port/listener.ts';
import { LEDGER_FOLDERS } from '../../src/protocol/connection-ledger.ts';
import {
  ConnectionApps,
  kill,
  killFromOutside,
  messageOf,
  shutDown,
} from './support/connection-apps.ts';
import { keepAliveAgent, Load, send } from './support/http-load.ts';

let apps: ConnectionApps;
let listener: Listener;

/** Of hosts that were killed on this machine before an app had opened it. */
let foreignLedgers: ReadonlySet<string> = new Set();

beforeAll(async () => {
  foreignLedgers = new Set(ledgers());
  apps = await ConnectionApps.create();
}, 60_000);
afterAll(() => apps.dispose());
beforeEach(async () => {
  listener = await listen({ port: 0, host: undefined, root: '/shop' });
});
afterEach(async () => {
  await listener.close();
  await apps.stopAll();
});

/** Closes no connection within a test because it is idle. */
const PATIENT = { KEEP_ALIVE_MS: '600000' };

async function forwardToNew(environment?: Record<string, string>) {
  const started = await apps.start(listener.port, environment);
  listener.forwardTo(started.app);
  return started;
}

describe('an app that listens on the port', () => {
  it('looks to the app as if it listened, and leaves other ports alone', async () => {
    const { ready } = await forwardToNew();
    expect(ready.listening).toBe(true);
    expect(ready.address).toEqual({ address: '::', family: 'IPv6', port: listener.port });
    expect((await send({ port: ready.otherPort })).body).toBe('other');
  });

  it('sees the real address of the client', async () => {
    await forwardToNew();
    const socket = connect(listener.port, '127.0.0.1');
    socket.write('GET /remote HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const [data] = await once(socket, 'data');
    expect(String(data)).toContain('127.0.0.1"');
    expect(String(data)).toContain(`,${socket.localPort}]`);
    socket.destroy();
  });

  it('answers a client that has closed its half', async () => {
    const { app } = await forwardToNew();
    const socket = connect({ port: listener.port, allowHalfOpen: true });
    socket.end('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const [data] = await once(socket, 'data');
    expect(String(data)).toContain(String(app.pid));
  });

  it('gets bodies whole, and upgrade requests', async () => {
    await forwardToNew();
    const body = 'x'.repeat(300_000);
    const answer = await send({ port: listener.port, path: '/echo', method: 'POST', body });
    expect(answer.body).toBe(body);
    const socket = connect(listener.port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    expect(String((await once(socket, 'data'))[0])).toContain('101 Switching');
    socket.write('ping');
    expect(String((await once(socket, 'data'))[0])).toBe('ping');
    socket.destroy();
  });

  it('closes idle connections after the keep-alive time', async () => {
    const { app } = await forwardToNew(PATIENT);
    const next = await apps.start(listener.port, { KEEP_ALIVE_MS: '200' });
    const socket = connect(listener.port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    listener.hold('test');
    await shutDown(app);
    const ended = once(socket, 'end');
    listener.forwardTo(next.app);
    await ended;
  });

  it('reports the end of its connections, so that the host keeps no file handle', async () => {
    await forwardToNew();
    const count = () => socketCount();
    const before = count();
    await Promise.all(Array.from({ length: 50 }, () => send({ port: listener.port })));
    await vi.waitFor(() => expect(count()).toBeLessThanOrEqual(before + 2), { timeout: 30_000 });
  });

  it('emits `close` on its server when it is closed', async () => {
    const { app } = await forwardToNew();
    const agent = keepAliveAgent();
    await send({ port: listener.port, agent });
    app.send({ type: 'close' });
    expect(await messageOf(app, 'app-closed')).toMatchObject({ listening: false });
    // The connection was given back, not cut.
    const next = await apps.start(listener.port);
    listener.forwardTo(next.app);
    expect((await send({ port: listener.port, agent })).body).toBe(String(next.app.pid));
    agent.destroy();
  });
});

describe('while there is no app', () => {
  it('lets requests wait and hands them over in order', async () => {
    const answers = Array.from({ length: 5 }, () => send({ port: listener.port }));
    const { app } = await forwardToNew();
    for (const { body } of await Promise.all(answers)) {
      expect(body).toBe(String(app.pid));
    }
  });

  it('answers 503 when a wait has lasted too long', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    try {
      listener.hold('the app restarts because `.env` changed');
      const answer = send({ port: listener.port });
      let isAnswered = false;
      void answer.then(() => {
        isAnswered = true;
      });
      while (!isAnswered) {
        vi.advanceTimersByTime(1_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { status, body } = await answer;
      expect(status).toBe(503);
      expect(body).toContain('the app restarts because `.env` changed');
    } finally {
      vi.useRealTimers();
    }
  });

  it('answers 503 with the error, in the form that the client accepts', async () => {
    const waiting = send({ port: listener.port });
    listener.fail({
      name: 'SyntaxError',
      message: '\u001b[31mUnexpected <token>\u001b[39m',
      file: '/shop/medusa-config.ts',
      line: 3,
      column: 7,
      frame: '3 | oops',
    });
    const text = await waiting;
    expect(text.status).toBe(503);
    expect(text.body).toContain('SyntaxError: Unexpected <token>');
    expect(text.body).toContain('medusa-config.ts:3:7');
    expect(text.body).not.toContain('/shop/');
    const json = await send({ port: listener.port, headers: { accept: 'application/json' } });
    expect(JSON.parse(json.body)).toMatchObject({
      type: 'unavailable',
      error: { name: 'SyntaxError', file: 'medusa-config.ts', line: 3, column: 7 },
    });
    const html = await send({ port: listener.port, headers: { accept: 'text/html,*/*;q=0.8' } });
    expect(html.headers['content-type']).toContain('text/html');
    expect(html.body).toContain('Unexpected &lt;token&gt;');
    expect(html.headers.connection).toBe('close');
  });

  it('takes an unused connection back when the app can be reached again', async () => {
    listener.fail({ name: 'Error', message: 'no' });
    const socket = connect(listener.port);
    await once(socket, 'connect');
    // Whoever is answered came after the one that says nothing.
    expect((await send({ port: listener.port })).status).toBe(503);
    const { app } = await forwardToNew();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(String((await once(socket, 'data'))[0])).toContain(String(app.pid));
    socket.destroy();
  });

  it('lets a connection that has not been answered yet wait like a new one', async () => {
    listener.fail({ name: 'Error', message: 'no' });
    const socket = connect(listener.port);
    await once(socket, 'connect');
    // Whoever is answered came after the one that says nothing.
    expect((await send({ port: listener.port })).status).toBe(503);
    listener.hold('src/links/x.ts changed');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const answer = once(socket, 'data');
    const { app } = await forwardToNew();
    expect(String((await answer)[0])).toContain(String(app.pid));
    socket.destroy();
  });
});

describe('a graceful restart', () => {
  it('finishes the request in flight and keeps its connection', async () => {
    const { app } = await forwardToNew();
    const next = await apps.start(listener.port);
    const agent = keepAliveAgent();
    const isRunning = messageOf(app, 'slow');
    const slow = send({ port: listener.port, path: '/slow?ms=150', agent });
    await isRunning;
    listener.hold('test');
    const exit = shutDown(app);
    const second = send({ port: listener.port });
    expect((await slow).body).toBe(String(app.pid));
    await exit;
    listener.forwardTo(next.app);
    expect((await second).body).toBe(String(next.app.pid));
    const [answer, isReused] = await sendAndSeeReuse(agent);
    expect(answer).toBe(String(next.app.pid));
    expect(isReused).toBe(true);
    agent.destroy();
  });

  it('does not wait for event streams, nor for upgraded connections', async () => {
    // Who waits for them meets the limit of the test.
    const { app } = await forwardToNew({ DRAIN_LIMIT_MS: '600000' });
    const events = connect(listener.port);
    events.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(events, 'data');
    const upgraded = connect(listener.port);
    upgraded.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    await once(upgraded, 'data');
    const ends = Promise.all([once(events, 'close'), once(upgraded, 'close')]);
    events.resume();
    upgraded.resume();
    await shutDown(app);
    await ends;
  });

  it('returns a connection whose body the app left unread', async () => {
    const { app } = await forwardToNew();
    const next = await apps.start(listener.port);
    const socket = connect(listener.port);
    socket.write('POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345');
    expect(String((await once(socket, 'data'))[0])).toContain(String(app.pid));
    listener.hold('test');
    const exit = shutDown(app);
    socket.write('67890GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    // Either app may read what came in one piece; somebody has to answer.
    const second = once(socket, 'data');
    await exit;
    listener.forwardTo(next.app);
    expect(String((await second)[0])).toContain('200 OK');
    socket.destroy();
  });

  it('loses no half-sent request', async () => {
    const { app } = await forwardToNew();
    const socket = connect(listener.port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT');
    await once(socket, 'data');
    listener.hold('test');
    const exit = shutDown(app);
    socket.write('TP/1.1\r\nHost: x\r\n\r\n');
    expect(String((await once(socket, 'data'))[0])).toContain(String(app.pid));
    socket.destroy();
    await exit;
  });

  it('fails no request through 20 restarts under load', async () => {
    let current = (await forwardToNew()).app;
    const keepAlive = new Load({
      port: listener.port,
      clients: 20,
      perSecond: 200,
      keepAlive: true,
    });
    const oneShot = new Load({
      port: listener.port,
      clients: 10,
      perSecond: 100,
      keepAlive: false,
    });
    const ended: number[] = [];
    for (let index = 0; index < 20; index++) {
      const previous = current;
      listener.hold('restarting');
      const [{ app }] = await Promise.all([apps.start(listener.port), shutDown(previous)]);
      ended.push(previous.pid ?? 0);
      listener.forwardTo(app);
      current = app;
      await send({ port: listener.port });
    }
    await Promise.all([keepAlive.stop(), oneShot.stop()]);
    expect([...keepAlive.failures, ...oneShot.failures]).toEqual([]);
    expect(keepAlive.answered).toBeGreaterThan(100);
    expect(oneShot.answered).toBeGreaterThan(50);
  }, 180_000);
});

describe('an app that dies', () => {
  it('fails no request between two of which it is killed, 10 times', async () => {
    let current = (await forwardToNew()).app;
    const agents = Array.from({ length: 10 }, () => keepAliveAgent());
    for (let index = 0; index < 10; index++) {
      for (const answer of await Promise.all(
        agents.map((agent) => send({ port: listener.port, agent })),
      )) {
        expect(answer).toMatchObject({ status: 200, body: String(current.pid) });
      }
      // By its answer it has noted that all responses are written.
      current.send({ type: 'ping' });
      await messageOf(current, 'pong');
      await kill(current);
      const next = Promise.all(agents.map((agent) => send({ port: listener.port, agent })));
      current = (await forwardToNew()).app;
      for (const { body } of await next) {
        expect(body).toBe(String(current.pid));
      }
    }
    for (const agent of agents) {
      agent.destroy();
    }
  });

  it('gives what it never read to the next app when it hung in a loop', async () => {
    const { app } = await forwardToNew();
    const agent = keepAliveAgent();
    await send({ port: listener.port, agent });
    const isLooping = messageOf(app, 'slow');
    const lost = send({ port: listener.port, path: '/loop' });
    await isLooping;
    const reused = send({ port: listener.port, agent });
    const fresh = Array.from({ length: 5 }, () => send({ port: listener.port }));
    await kill(app);
    const answer = await lost;
    expect(answer.status).toBe(503);
    expect(answer.body).toContain('stopped while it handled this request');
    const next = await forwardToNew();
    for (const { body } of await Promise.all([reused, ...fresh])) {
      expect(body).toBe(String(next.app.pid));
    }
    agent.destroy();
  });

  it('leaves a request that may be sent again to the next one, when it was killed from outside', async () => {
    const { app } = await forwardToNew();
    const agent = keepAliveAgent();
    await send({ port: listener.port, agent });
    const sendSlow = async (options: Partial<Parameters<typeof send>[0]>) => {
      const isRunning = messageOf(app, 'slow');
      const answer = send({ port: listener.port, path: '/slow?ms=20000', ...options });
      await isRunning;
      return { answer };
    };
    const get = await sendSlow({ agent });
    const head = await sendSlow({ method: 'HEAD' });
    const post = await sendSlow({ method: 'POST', body: 'x' });
    await killFromOutside(app);
    expect((await post.answer).status).toBe(503);
    const next = await forwardToNew({ SLOW_MS: '1' });
    const answer = await get.answer;
    expect(answer).toMatchObject({ status: 200, body: String(next.app.pid) });
    expect(answer.headers.connection).toBe('close');
    expect((await head.answer).status).toBe(200);
    expect((await send({ port: listener.port, agent })).body).toBe(String(next.app.pid));
    agent.destroy();
  });

  it('has a request sent again once only, and not if it may be what ended it', async () => {
    const first = await forwardToNew();
    const started = messageOf(first.app, 'slow');
    const answer = send({ port: listener.port, path: '/slow?ms=20000' });
    await started;
    await killFromOutside(first.app);
    const second = await forwardToNew();
    await messageOf(second.app, 'slow');
    await killFromOutside(second.app);
    expect(await answer).toMatchObject({
      status: 503,
      body: expect.stringContaining('stopped while it handled this request'),
    });
    const third = await forwardToNew();
    const isLooping = messageOf(third.app, 'slow');
    const looping = send({ port: listener.port, path: '/loop' });
    await isLooping;
    await kill(third.app);
    expect((await looping).status).toBe(503);
  });

  it('leaves the connection to the next one when it is killed as soon as it has answered', async () => {
    const { app } = await forwardToNew();
    const agent = keepAliveAgent();
    const exit = once(app, 'exit');
    const last = await send({ port: listener.port, agent, path: '/last-answer' });
    expect(last).toMatchObject({ status: 200, body: String(app.pid) });
    await exit;
    const sockets = agentSockets(agent);
    expect(sockets).toHaveLength(1);
    const answer = send({ port: listener.port, agent });
    const next = await forwardToNew();
    expect(await answer).toMatchObject({ status: 200, body: String(next.app.pid) });
    expect(agentSockets(agent)[0]).toBe(sockets[0]);
    agent.destroy();
  });

  it('does not have a request sent again of which more was read than its head', async () => {
    const { app } = await forwardToNew();
    const socket = connect(listener.port);
    const started = messageOf(app, 'slow');
    socket.write('GET /slow?ms=20000 HTTP/1.1\r\nHost: x\r\n\r\nGET / HT');
    await started;
    await killFromOutside(app);
    expect(String((await once(socket, 'data'))[0])).toContain('503 ');
    socket.destroy();
  });

  it('does not have a request sent again that the second one had answered when it was killed', async () => {
    const first = await forwardToNew({ KILLED_ON: '/last-answer' });
    const exit = once(first.app, 'exit');
    const socket = connect(listener.port);
    let received = '';
    socket.on('data', (data) => {
      received += data;
    });
    const closed = once(socket, 'close');
    socket.write('GET /last-answer HTTP/1.1\r\nHost: x\r\n\r\n');
    await exit;
    const second = await forwardToNew();
    await once(second.app, 'exit');
    await forwardToNew(PATIENT);
    await closed;
    expect(received.split('HTTP/1.1 ')).toEqual(['', expect.stringContaining('200 OK')]);
  });

  it('ends the connection of a request that was sent again, even if the app would keep it', async () => {
    const { app } = await forwardToNew({ KILLED_ON: '/kept-alive' });
    const exit = once(app, 'exit');
    const socket = connect(listener.port);
    const closed = once(socket, 'close');
    const answered = once(socket, 'data');
    socket.write('GET /kept-alive HTTP/1.1\r\nHost: x\r\n\r\n');
    await exit;
    await forwardToNew(PATIENT);
    expect(String((await answered)[0])).toContain('200 OK');
    await closed;
  });

  it('cuts the connection when it had answered before it had read all of the request', async () => {
    const { app } = await forwardToNew();
    const socket = connect(listener.port);
    socket.write('POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of it');
    expect(String((await once(socket, 'data'))[0])).toContain('413 ');
    const closed = once(socket, 'close');
    socket.on('data', () => expect.fail('There is no other answer.'));
    await killFromOutside(app);
    await forwardToNew(PATIENT);
    await closed;
  });

  it('answers a request of whose response nothing is out, and cuts one that was begun', async () => {
    await forwardToNew();
    for (const path of ['/exit', '/half']) {
      expect((await send({ port: listener.port, path })).status).toBe(503);
      await forwardToNew();
    }
    await expect(send({ port: listener.port, path: '/half?later' })).rejects.toThrow(
      /aborted|hang up|ECONNRESET/,
    );
    const { app } = await forwardToNew();
    const isLooping = messageOf(app, 'slow');
    const answer = send({ port: listener.port, path: '/unsent' });
    await isLooping;
    await kill(app);
    expect((await answer).status).toBe(503);
  });

  it('leaves no file behind', async () => {
    const { app } = await forwardToNew();
    await send({ port: listener.port });
    // Other hosts on this machine have theirs there too, for an instant.
    await expect.poll(ledgers, { timeout: LEDGER_WAIT_MS }).toEqual([]);
    await kill(app);
  });
});

describe('a port in use', () => {
  it('names the program that has it', async () => {
    await expect(
      listen({ port: listener.port, host: undefined, root: '/shop' }),
    ).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(`Port \`${listener.port}\` is in use`),
      hint: expect.stringContaining('choose another port: `-p`'),
    });
    if (process.platform === 'linux') {
      // It is given half a second to be found, which a busy machine may need for something else.
      await expect.poll(() => complaintOf(listener.port)).toContain(`process ${process.pid} (`);
    }
  });
});

async function complaintOf(port: number): Promise<string> {
  return listen({ port, host: undefined, root: '/shop' }).then(
    () => 'none',
    ({ message }: Error) => message,
  );
}

async function sendAndSeeReuse(agent: ReturnType<typeof keepAliveAgent>) {
  const createdBefore = agentSockets(agent);
  const { body } = await send({ port: listener.port, agent });
  const after = agentSockets(agent);
  return [body, createdBefore.length === 1 && after[0] === createdBefore[0]] as const;
}

function agentSockets(agent: ReturnType<typeof keepAliveAgent>): unknown[] {
  return Object.values(agent.freeSockets).flat();
}

const LEDGER_WAIT_MS = 10_000;

function ledgers(): string[] {
  return LEDGER_FOLDERS.flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : [])).filter(
    (name) => name.startsWith('medusa-vite-connections-') && !foreignLedgers.has(name),
  );
}

function socketCount(): number {
  if (process.platform === 'linux') {
    return readdirSync('/proc/self/fd').length;
  }
  return Number(execFileSync('sh', ['-c', `lsof -p ${process.pid} | wc -l`]));
}
