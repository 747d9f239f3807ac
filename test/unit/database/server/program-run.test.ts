import type { ChildProcess } from 'node:child_process';
import { afterEach, expect, it, vi } from 'vitest';
import { killGroup } from '../../../../src/database/server/program-run.ts';

const spawned = vi.hoisted(() => ({ calls: [] as unknown[][] }));
vi.mock('node:child_process', () => ({
  spawnSync: (...call: unknown[]) => spawned.calls.push(call),
}));

afterEach(() => {
  vi.unstubAllGlobals();
});

it('ends the whole tree on Windows, and opens no window for that', () => {
  vi.stubGlobal('process', { ...process, platform: 'win32' });
  killGroup({ pid: 4711 } as ChildProcess);
  const options = expect.objectContaining({ windowsHide: true });
  expect(spawned.calls).toEqual([['taskkill', ['/pid', '4711', '/t', '/f'], options]]);
});
