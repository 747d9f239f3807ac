import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AdminForward } from '../../src/app/port/admin-forward.ts';
import type { AdminRequest } from '../../src/protocol/admin.ts';
import type { AppToHost } from '../../src/protocol/messages.ts';

const REQUEST: AdminRequest = { bundler: '', options: '', functions: [], env: {} };

let forward: AdminForward;
let messages: AppToHost[];
let app: Server;
let servers: Server[];

beforeEach(async () => {
  messages = [];
  servers = [];
  forward = new AdminForward((message) => messages.push(message));
  app = await serve(forward.open(REQUEST));
});

afterEach(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
});

async function serve(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** Starts an admin, and tells the app of it. */
async function admin(listener: RequestListener): Promise<Server> {
  const server = await serve(listener);
  forward.update({ type: 'ready', port: portOf(server) });
  return server;
}

interface Asked {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string[];
}

function ask({
  method = 'GET',
  path = '/app',
  headers = {},
  body,
}: Asked = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request({ port: portOf(app), host: '127.0.0.1', method, path, headers });
    asking.on('response', resolve).on('error', reject);
    for (const part of body ?? []) {
      asking.write(part);
    }
    asking.end();
  });
}

test('says what the admin is to serve', () => {
  expect(messages).toEqual([{ type: 'admin-wanted', request: REQUEST }]);
  forward.settle();
  expect(messages.length).toBe(1);
});

test('says that an app has no admin', () => {
  new AdminForward((message) => messages.push(message)).settle();
  expect(messages.at(-1)).toEqual({ type: 'admin-wanted', request: undefined });
});

test('passes on the request as it is', async () => {
  let seen: IncomingMessage | undefined;
  await admin((incoming, response) => {
    seen = incoming;
    response.end();
  });
  const headers = { host: 'shop.test:9000', 'x-custom': 'ü', 'if-none-match': '"a"' };
  await ask({ path: '/app/a%20b?c=d&c=e', headers });
  expect([seen?.method, seen?.url]).toEqual(['GET', '/app/a%20b?c=d&c=e']);
  expect(seen?.headers).toMatchObject(headers);
});

test.each([
  ['of a known length', { 'content-length': '6' }],
  ['in chunks', { 'transfer-encoding': 'chunked' }],
])('passes on a body %s', async (_what, headers) => {
  await admin(async (incoming, response) => {
    response.end(`${incoming.method} ${await text(incoming)}`);
  });
  const answer = await ask({ method: 'POST', headers, body: ['abc', 'def'] });
  expect(await text(answer)).toBe('POST abcdef');
});

test('passes on status, headers and body of the answer', async () => {
  const body = Buffer.from([0, 255, 128]);
  await admin((_, response) => {
    response.writeHead(418, 'Short and stout', [
      ...['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'ETag', 'W/"1"', 'Content-Length', '3'],
    ]);
    response.end(body);
  });
  const answer = await ask();
  expect([answer.statusCode, answer.statusMessage]).toEqual([418, 'Short and stout']);
  expect(answer.headers).toMatchObject({
    'set-cookie': ['a=1', 'b=2'],
    etag: 'W/"1"',
    'content-length': '3',
  });
  expect(await buffer(answer)).toEqual(body);
});

test('passes on each part of the answer when it comes', async () => {
  let finish = () => {};
  await admin((_, response) => {
    response.write('first');
    finish = () => response.end(' last');
  });
  const answer = await ask();
  const parts: string[] = [];
  for await (const part of answer) {
    parts.push(String(part));
    finish();
  }
  expect(parts).toEqual(['first', ' last']);
});

test('an answer that breaks off does not look whole', async () => {
  await admin((_, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half');
    setImmediate(() => response.destroy());
  });
  await expect(ask().then(text)).rejects.toThrow('aborted');
});

test('a client that goes takes its request with it', async () => {
  const gone = new Promise<void>((resolve) => {
    void admin((_, response) => {
      response.on('close', () => resolve());
      response.write('x');
    });
  });
  const answer = await ask();
  answer.destroy();
  await gone;
});

test('requests wait while the admin is starting', async () => {
  const answer = ask();
  forward.update({ type: 'starting' });
  await admin((_, response) => response.end('here'));
  expect(await text(await answer)).toBe('here');
});

test('one that has failed is asked for again; if it fails again, the answer says why', async () => {
  forward.update({ type: 'failed', error: { name: 'Error', message: 'old' } });
  const answering = ask({ headers: { accept: 'text/html' } });
  await expect.poll(() => messages.at(-1)).toEqual({ type: 'admin-retry' });
  forward.update({ type: 'starting' });
  const error = {
    name: 'TypeError',
    message: 'no \u001B[31msuch\u001B[0m plugin',
    hint: 'Install it.',
  };
  forward.update({ type: 'failed', error });
  const answer = await answering;
  expect(answer.statusCode).toBe(503);
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(await text(answer)).toContain('TypeError: no such plugin\n\nInstall it.');
});

test('a request that meets a crash is answered by the next process', async () => {
  let isMet = false;
  await admin((incoming) => {
    isMet = true;
    incoming.socket.destroy();
  });
  const answering = ask();
  await expect.poll(() => isMet).toBe(true);
  forward.update({ type: 'starting' });
  await admin((_, response) => response.end('second'));
  expect(await text(await answering)).toBe('second');
});

test('one whose body is gone by then is not sent twice', async () => {
  await admin((incoming) => incoming.socket.destroy());
  const answer = await ask({ method: 'POST', headers: { 'content-length': '3' }, body: ['abc'] });
  expect(answer.statusCode).toBe(503);
});

test('a body that the project has read already is left out', async () => {
  const middleware = forward.open(REQUEST);
  app = await serve(async (incoming, response) => {
    await buffer(incoming);
    middleware(incoming, response);
  });
  await admin(async (incoming, response) => {
    response.end(`${incoming.headers['content-length']} ${await text(incoming)}`);
  });
  const answer = await ask({ method: 'POST', headers: { 'content-length': '3' }, body: ['abc'] });
  expect(await text(answer)).toMatch(/^(?:undefined|0) $/);
});
