import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CONNECTION_STATE, ConnectionLedger } from '../../../src/protocol/connection-ledger.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'medusa-vite-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('is in the first folder that takes it, and leaves nothing there', () => {
  const ledger = ConnectionLedger.create([join(folder, 'nowhere'), folder]);
  expect(dirname(ledger?.file ?? '')).toBe(folder);
  expect(existsSync(ledger?.file ?? '')).toBe(true);
  ledger?.dispose();
  expect(readdirSync(folder)).toEqual([]);
});

it('is done without where there is none', () => {
  expect(ConnectionLedger.create([join(folder, 'nowhere')])).toBeUndefined();
});

describe('the two sides of a ledger', () => {
  let host: ConnectionLedger;
  let app: ConnectionLedger;
  beforeEach(() => {
    host = ConnectionLedger.create([folder]) as ConnectionLedger;
    app = ConnectionLedger.open(host.file);
    return () => {
      app.dispose();
      host.dispose();
    };
  });

  it('agree on the states', () => {
    app.writeState(1, CONNECTION_STATE.responding);
    expect(host.readState(0)).toBe(CONNECTION_STATE.idle);
    expect(host.readState(1)).toBe(CONNECTION_STATE.responding);
    expect(host.hasPending(2)).toBe(false);
    app.writeState(70_000, CONNECTION_STATE.pending);
    expect(host.readState(70_000)).toBe(CONNECTION_STATE.pending);
    expect(host.readState(80_000)).toBe(CONNECTION_STATE.idle);
    expect(host.hasPending(70_000)).toBe(false);
    expect(host.hasPending(70_001)).toBe(true);
  });

  it('agree on the heads, of which only the same bytes are taken', () => {
    expect(host.readHead(3)).toBeUndefined();
    expect(app.writeHead(3, 'GET / HTTP/1.1\r\n\r\n')).toBe(true);
    expect(app.writeHead(4, 'GET /ü HTTP/1.1\r\n\r\n')).toBe(false);
    expect(app.writeHead(5, 'x'.repeat(1 << 15))).toBe(false);
    expect(host.readHead(3)).toBe('GET / HTTP/1.1\r\n\r\n');
    expect(app.writeHead(3, 'HEAD / HTTP/1.1\r\n\r\n')).toBe(true);
    expect(host.readHead(3)).toBe('HEAD / HTTP/1.1\r\n\r\n');
    expect([host.readHead(4), host.readHead(5)]).toEqual([undefined, undefined]);
  });

  it('leave no file, even if the host is killed', () => {
    expect(readdirSync(folder)).toEqual([]);
  });
});
