import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RequestGate } from '../../../../src/app/port/request-gate.ts';

let server: Server;
let gate: RequestGate;
let arrived: string[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  arrived = [];
  server = createServer();
  gate = new RequestGate();
  gate.attach(server);
  server.on('request', (name: unknown) => arrived.push(String(name)));
  server.on('close', () => arrived.push('close'));
});

afterEach(() => {
  vi.useRealTimers();
});

describe('requests', () => {
  it('pass while nothing was seen to change', () => {
    server.emit('request', 'a');
    expect(arrived).toEqual(['a']);
  });

  it('wait for the pass, and go on in order', () => {
    gate.hold();
    server.emit('request', 'a');
    server.emit('request', 'b');
    expect(arrived).toEqual([]);
    gate.release();
    expect(arrived).toEqual(['a', 'b']);
    server.emit('request', 'c');
    expect(arrived).toEqual(['a', 'b', 'c']);
  });

  it('do not wait for ever', () => {
    gate.hold();
    server.emit('request', 'a');
    vi.advanceTimersByTime(1_000);
    // A second save does not make the first request wait longer.
    gate.hold();
    vi.advanceTimersByTime(1_000);
    expect(arrived).toEqual(['a']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('are all that waits', () => {
    gate.hold();
    server.emit('close');
    expect(arrived).toEqual(['close']);
  });

  it('go on also when one of them fails at once', async () => {
    const thrown: unknown[] = [];
    vi.spyOn(process, 'nextTick').mockImplementation(((run: () => void) => {
      try {
        run();
      } catch (error) {
        thrown.push(error);
      }
    }) as typeof process.nextTick);
    server.prependListener('request', (name: unknown) => {
      if (name === 'bad') {
        throw new Error('bad');
      }
    });
    gate.hold();
    server.emit('request', 'a');
    server.emit('request', 'bad');
    server.emit('request', 'b');
    gate.release();
    vi.restoreAllMocks();
    expect(arrived).toEqual(['a', 'b']);
    expect(thrown).toEqual([new Error('bad')]);
  });

  it('pass when a release comes without a hold', () => {
    gate.release();
    server.emit('request', 'a');
    expect(arrived).toEqual(['a']);
  });
});
