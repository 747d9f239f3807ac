import { describe, expect, it } from 'vitest';
import { describeMove, resolveAddress } from '../../../../src/host/port/address.ts';

const UNASKED = { port: undefined, host: undefined };

describe('an address', () => {
  it('is the one of the options', () => {
    const asked = { port: 0, host: '127.0.0.1' };
    expect(resolveAddress(asked, { PORT: '9001', HOST: 'localhost' })).toEqual(asked);
  });

  it('is else the one of the environment, where an empty value counts as none', () => {
    expect(resolveAddress(UNASKED, { PORT: '9001', HOST: 'localhost' })).toEqual({
      port: 9001,
      host: 'localhost',
    });
    expect(resolveAddress(UNASKED, { PORT: '', HOST: '' })).toEqual({
      port: 9000,
      host: undefined,
    });
  });

  it.each(['http', '-1', '65536', '9000.5'])('cannot have the port %s', (PORT) => {
    expect(() => resolveAddress(UNASKED, { PORT })).toThrow(
      `\`${PORT}\` is not a port (\`PORT\`).`,
    );
  });
});

describe('a move', () => {
  it('is reported for each variable that counts', () => {
    const before = { PORT: '9000', HOST: 'localhost' };
    expect(describeMove(UNASKED, { before, after: { PORT: '9001' } })).toEqual([
      expect.stringContaining('`PORT` in `.env` has changed to `9001`'),
      expect.stringContaining('`HOST` is gone from `.env`'),
    ]);
    expect(describeMove({ port: 9000, host: '::1' }, { before, after: {} })).toEqual([]);
  });
});
