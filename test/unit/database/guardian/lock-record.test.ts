import { describe, expect, it } from 'vitest';
import {
  type LockRecord,
  parseLockRecord,
  stateOf,
} from '../../../../src/database/guardian/lock-record.ts';

/** Above the limit of every system's process numbers. */
const NO_PROCESS = 2 ** 30;
const HERE = { machine: 'here', ageMs: 100 };
const record: LockRecord = {
  pid: process.pid,
  hostPid: process.pid,
  machine: 'here',
  token: 'a',
};

describe('stateOf', () => {
  it('is held while guardian and host run', () => {
    expect(stateOf(record, HERE)).toBe('held');
  });

  it('is closing when only the guardian is left', () => {
    expect(stateOf({ ...record, hostPid: NO_PROCESS }, HERE)).toBe('closing');
  });

  it('is stale when the guardian is gone, or when its number has a new owner without a heartbeat', () => {
    expect(stateOf({ ...record, pid: NO_PROCESS }, HERE)).toBe('stale');
    expect(stateOf(record, { machine: 'here', ageMs: 60_000 })).toBe('stale');
  });

  it('judges another machine by the heartbeat alone', () => {
    const elsewhere = { ...record, machine: 'there', pid: NO_PROCESS };
    expect(stateOf(elsewhere, HERE)).toBe('unknown');
    expect(stateOf(elsewhere, { machine: 'here', ageMs: 60_000 })).toBe('stale');
    expect(stateOf(undefined, HERE)).toBe('unknown');
  });
});

describe('parseLockRecord', () => {
  it('takes only complete records', () => {
    expect(parseLockRecord(JSON.stringify(record))).toEqual(record);
    for (const text of ['', '{', 'null', '[]', '{"pid":1}', '{"pid":"1","hostPid":1}']) {
      expect(parseLockRecord(text)).toBeUndefined();
    }
  });
});
