import { describe, expect, it } from 'vitest';
import {
  describePortOwner,
  listeningInodes,
  parseLsof,
  parseNetstat,
} from '../../../../src/host/port/port-owner.ts';

describe('the owner of a port', () => {
  it('is found in the tables of Linux by the socket that listens', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 00000000:2328 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1',
      '   1: 0100007F:2328 0100007F:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4243 1',
      '   2: 0100007F:12328 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4244 1',
    ].join('\n');
    expect(listeningInodes(table, 9000)).toEqual(['4242']);
  });

  it('is read from `lsof -F`', () => {
    expect(parseLsof('p311\ncnode\nf23\n')).toEqual({ pid: 311, command: 'node' });
    expect(parseLsof('')).toBeUndefined();
  });

  it('is read from `netstat`, whatever its language', () => {
    const output = [
      '  Proto  Lokale Adresse   Remoteadresse     Status       PID',
      '  TCP    0.0.0.0:19000    0.0.0.0:0         ABHÖREN      11',
      '  TCP    127.0.0.1:9000   127.0.0.1:51000   HERGESTELLT  12',
      '  TCP    [::]:9000        [::]:0            ABHÖREN      13',
    ].join('\r\n');
    expect(parseNetstat(output, 9000)).toBe(13);
    expect(parseNetstat(output, 9001)).toBeUndefined();
  });

  it('is named with a shortened command', () => {
    expect(describePortOwner({ pid: 1, command: undefined })).toBe('process 1');
    expect(describePortOwner({ pid: 1, command: 'x'.repeat(500) }).length).toBeLessThan(120);
  });
});
