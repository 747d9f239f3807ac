import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Link } from '../../../../src/shared/process/link.ts';

type Sends =
  | { type: 'add'; id: number; terms: number[] }
  | { type: 'divide'; id: number; by: number }
  | { type: 'forget' };
type Receives =
  | { type: 'sum'; id: number; sum: number }
  | { type: 'quotient'; id: number; quotient: number }
  | { type: 'undefined'; id: number }
  | { type: 'log'; line: string };
interface Replies {
  add: 'sum';
  divide: 'quotient' | 'undefined';
}

/** Keeps what was sent until the test says that it has left. */
class FakeTransport extends EventEmitter {
  connected = true;
  readonly sent: Sends[] = [];
  readonly unsent: ((error: null) => void)[] = [];

  send(
    message: unknown,
    _handle: unknown,
    _options: unknown,
    onSent: (error: null) => void,
  ): boolean {
    this.sent.push(message as Sends);
    this.unsent.push(onSent);
    return true;
  }

  receive(message: unknown): void {
    this.emit('message', message);
  }
}

let transport: FakeTransport;
let link: Link<Sends, Receives, Replies>;
let logged: string[];

beforeEach(() => {
  vi.useFakeTimers();
  transport = new FakeTransport();
  logged = [];
  link = new Link(transport, { log: ({ line }) => logged.push(line) });
});

afterEach(() => {
  vi.useRealTimers();
});

/** What has become of a promise by now. */
async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([promise, Promise.resolve('pending')]);
}

describe('a request', () => {
  it('gets the reply that has its id, in whatever order they come', async () => {
    const sum = link.request({ type: 'add', terms: [1, 2] });
    const quotient = link.request({ type: 'divide', by: 0 });
    expect(transport.sent).toEqual([
      { type: 'add', id: 1, terms: [1, 2] },
      { type: 'divide', id: 2, by: 0 },
    ]);
    transport.receive({ type: 'undefined', id: 2 });
    transport.receive({ type: 'sum', id: 1, sum: 3 });
    expect(await sum).toEqual({ type: 'sum', id: 1, sum: 3 });
    expect(await quotient).toEqual({ type: 'undefined', id: 2 });
  });

  it('gets none when its limit passes, and one that comes then is dropped', async () => {
    const late = link.request({ type: 'add', terms: [] }, { limitMs: 100 });
    await vi.advanceTimersByTimeAsync(99);
    expect(await stateOf(late)).toBe('pending');
    await vi.advanceTimersByTimeAsync(1);
    expect(await late).toBeUndefined();
    const next = link.request({ type: 'add', terms: [] }, { limitMs: 100 });
    transport.receive({ type: 'sum', id: 1, sum: 1 });
    expect(await stateOf(next)).toBe('pending');
    transport.receive({ type: 'sum', id: 2, sum: 2 });
    expect(await next).toMatchObject({ sum: 2 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gets none once the link is closed, whether it came before or after that', async () => {
    const before = link.request({ type: 'add', terms: [] }, { limitMs: 100 });
    link.close();
    expect(await before).toBeUndefined();
    expect(await link.request({ type: 'add', terms: [] })).toBeUndefined();
    expect(transport.sent).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a message', () => {
  it('goes to its handler', () => {
    transport.receive({ type: 'log', line: 'one' });
    transport.receive({ type: 'log', line: 'two' });
    expect(logged).toEqual(['one', 'two']);
  });

  it.each([
    undefined,
    null,
    'log',
    7,
    {},
    { type: 7 },
    { type: 'unknown' },
    { type: 'toString' },
    { type: 'sum', id: 1, sum: 3 },
    { type: 'unknown', id: 'text' },
  ])('that is none of ours is dropped: %j', (message) => {
    transport.receive(message);
    expect(logged).toEqual([]);
  });

  it('whose handler fails is reported, and the next one is handled', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    link = new Link(transport, {
      log: ({ line }) => {
        throw new Error(`no more ${line}`);
      },
    });
    expect(() => transport.receive({ type: 'log', line: 'paper' })).not.toThrow();
    expect(write.mock.lastCall?.[0]).toContain('medusa-vite: log failed: Error: no more paper');
    write.mockRestore();
  });

  it('that is sent is awaited until it has left', async () => {
    const sent = link.send({ type: 'forget' });
    expect(await stateOf(sent)).toBe('pending');
    transport.unsent[0]?.(null);
    await sent;
    expect(transport.sent).toEqual([{ type: 'forget' }]);
  });

  it('is not sent to a process that is gone', async () => {
    transport.connected = false;
    await link.send({ type: 'forget' });
    expect(transport.sent).toEqual([]);
  });
});
