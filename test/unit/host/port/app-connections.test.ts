import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { AppConnections } from '../../../../src/host/port/app-connections.ts';
import type { ClientConnection } from '../../../../src/host/port/client-connection.ts';
import { CONNECTION_STATE, ConnectionLedger } from '../../../../src/protocol/connection-ledger.ts';

type OnSent = (error: Error | null) => void;

/** Records the messages; the test decides when and how each one arrives. */
class FakeApp extends EventEmitter {
  readonly handovers: { slot: number; onSent: OnSent }[] = [];
  ledger: string = '';

  send(message: { type: string; slot: number; file: string }, ...rest: unknown[]): void {
    if (message.type === 'connection-ledger') {
      this.ledger = message.file;
    } else {
      this.handovers.push({ slot: message.slot, onSent: rest.at(-1) as OnSent });
    }
  }
}

let app: FakeApp;
let events: [name: string, connection?: ClientConnection][];
let connections: AppConnections;

beforeEach(() => {
  app = new FakeApp();
  events = [];
  connections = new AppConnections(app as unknown as ChildProcess, {
    returned: (connection) => events.push(['returned', connection]),
    interrupted: (connection) => events.push(['interrupted', connection]),
    ended: (connection) => events.push(['ended', connection]),
    stopped: () => events.push(['stopped']),
  });
  return () => {
    app.emit('exit');
  };
});

function create(): ClientConnection {
  return { socket: new Socket(), isReused: false, waitTimer: undefined, failedHandovers: 0 };
}

describe('the connections of an app', () => {
  it('are sent one at a time, so that other messages need not wait for all of them', () => {
    connections.add(create());
    connections.add(create());
    expect(app.handovers).toHaveLength(1);
    app.handovers[0]?.onSent(null);
    expect(app.handovers.map(({ slot }) => slot)).toEqual([0, 1]);
  });

  it('can be withdrawn while they are unsent', () => {
    const [first, second] = [create(), create()];
    connections.add(first);
    connections.add(second);
    connections.withdraw();
    expect(events).toEqual([['returned', second]]);
    expect(second.isReused).toBe(false);
    expect(connections.isStopped).toBe(false);
  });

  it('come back when the channel is closed', () => {
    const [first, second] = [create(), create()];
    connections.add(first);
    connections.add(second);
    app.handovers[0]?.onSent(new Error('ERR_IPC_CHANNEL_CLOSED'));
    expect(events).toEqual([['stopped'], ['returned', second], ['returned', first]]);
  });

  it('are sent again, a few times, when the socket got lost on its way', () => {
    const connection = create();
    connections.add(connection);
    for (let attempt = 0; attempt < 4; attempt++) {
      expect(app.handovers).toHaveLength(attempt + 1);
      app.handovers[attempt]?.onSent(null);
      app.emit('internalMessage', { cmd: 'NODE_HANDLE_NACK' });
    }
    expect(app.handovers).toHaveLength(4);
    expect(events).toEqual([['interrupted', connection]]);
  });

  it('use the slots of ended connections', () => {
    const [first, second] = [create(), create()];
    connections.add(first);
    app.handovers[0]?.onSent(null);
    app.emit('message', { type: 'connections', closed: [0], returned: [] });
    connections.add(second);
    expect(events).toEqual([['ended', first]]);
    expect(app.handovers.map(({ slot }) => slot)).toEqual([0, 0]);
  });

  it('are not mistaken for earlier ones in the same slot', () => {
    const [first, second] = [create(), create()];
    connections.add(first);
    app.handovers[0]?.onSent(null);
    writeFileSync(app.ledger, Buffer.from([CONNECTION_STATE.closed]));
    app.emit('message', { type: 'connections', closed: [0], returned: [] });
    connections.add(second);
    app.emit('exit');
    expect(events).toEqual([['ended', first], ['stopped'], ['returned', second]]);
  });

  it('stop when the app gives one back', () => {
    const connection = create();
    connections.add(connection);
    app.handovers[0]?.onSent(null);
    app.emit('message', { type: 'connections', closed: [], returned: [0, 7] });
    expect(events).toEqual([['stopped'], ['returned', connection]]);
    expect(connections.isStopped).toBe(true);
  });

  it('are judged by the ledger when the app has died', () => {
    const all = [create(), create(), create(), create(), create()];
    for (const [index, connection] of all.entries()) {
      connections.add(connection);
      app.handovers[index]?.onSent(null);
    }
    const { idle, pending, responding, closed } = CONNECTION_STATE;
    writeFileSync(app.ledger, Buffer.from([idle, pending, responding, closed]));
    app.emit('exit');
    expect(events).toEqual([
      ['stopped'],
      ['returned', all[0]],
      ['interrupted', all[1]],
      ['ended', all[2]],
      ['ended', all[3]],
      // Never written to: the app did not get that far.
      ['returned', all[4]],
    ]);
    expect(() => readFileSync(app.ledger)).toThrow('ENOENT');
  });

  it.each([
    ['killed from outside', 'SIGKILL', false, 'returned'],
    ['killed by the host', 'SIGKILL', true, 'interrupted'],
    ['ended by itself', 'SIGABRT', false, 'interrupted'],
  ] as const)('that may be asked again are, when the app was %s', (_, signal, killed, event) => {
    const connection = create();
    connections.add(connection);
    app.handovers[0]?.onSent(null);
    const head = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    const ledger = ConnectionLedger.open(app.ledger);
    ledger.writeState(0, CONNECTION_STATE.repeatable);
    ledger.writeHead(0, head);
    ledger.dispose();
    Object.assign(app, { killed });
    app.emit('exit', null, signal);
    expect(events).toEqual([['stopped'], [event, connection]]);
    expect(connection.repeat).toBe(event === 'returned' ? head : undefined);
  });

  it('are cut when the app has died and no ledger could be made', () => {
    const createLedger = vi.spyOn(ConnectionLedger, 'create').mockReturnValue(undefined);
    const ended = vi.fn();
    const ignore = (): void => {};
    const own = new FakeApp();
    const cut = new AppConnections(own as unknown as ChildProcess, {
      returned: ignore,
      interrupted: ignore,
      ended,
      stopped: ignore,
    });
    createLedger.mockRestore();
    const connection = create();
    cut.add(connection);
    own.handovers[0]?.onSent(null);
    own.emit('exit');
    expect(ended).toHaveBeenCalledWith(connection);
  });
});
