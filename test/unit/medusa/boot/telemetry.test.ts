import { afterEach, describe, expect, it, vi } from 'vitest';
import { quietTelemetry } from '../../../../src/medusa/boot/telemetry.ts';

const flush = () => {};

function isFlushedAtExit(switchedOff: string | undefined): boolean {
  vi.stubEnv('MEDUSA_DISABLE_TELEMETRY', switchedOff);
  process.on('exit', flush);
  quietTelemetry({ requireFrom: () => ({ flush }) });
  return process.listeners('exit').includes(flush);
}

afterEach(() => {
  process.off('exit', flush);
  vi.unstubAllEnvs();
});

describe('telemetry', () => {
  it.each(['true', 'TRUE', '1'])('that is switched off by %s sends nothing at exit', (value) => {
    expect(isFlushedAtExit(value)).toBe(false);
  });

  it.each([undefined, '', 'false', '0'])('is as in Medusa with %s', (value) => {
    expect(isFlushedAtExit(value)).toBe(true);
  });

  it('may have nothing to send at exit', () => {
    vi.stubEnv('MEDUSA_DISABLE_TELEMETRY', 'true');
    expect(() => quietTelemetry({ requireFrom: () => ({}) })).not.toThrow();
  });
});
