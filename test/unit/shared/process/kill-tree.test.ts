import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { killTree } from '../../../../src/shared/process/kill-tree.ts';

const spawned = vi.hoisted(() => ({ calls: [] as unknown[], process: undefined as unknown }));
vi.mock('node:child_process', () => ({
  spawn: (...call: unknown[]) => {
    spawned.calls.push(call.slice(0, 2));
    return spawned.process;
  },
}));

let killed: string[];
const fake = (pid: number | undefined) =>
  ({ pid, kill: (signal: string) => killed.push(signal) }) as unknown as ChildProcess;

beforeEach(() => {
  killed = [];
  spawned.calls = [];
  spawned.process = Object.assign(new EventEmitter(), { unref: () => {} });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

function on(platform: NodeJS.Platform): void {
  vi.stubGlobal('process', { ...process, platform });
}

it('kills the process alone where those that it has started end by themselves', () => {
  on('linux');
  killTree(fake(4711));
  expect(killed).toEqual(['SIGKILL']);
  expect(spawned.calls).toEqual([]);
});

it('ends the whole tree on Windows', () => {
  on('win32');
  killTree(fake(4711));
  expect(spawned.calls).toEqual([['taskkill', ['/pid', '4711', '/T', '/F']]]);
  expect(killed).toEqual([]);
});

it('ends at least the process on a Windows without `taskkill`', () => {
  on('win32');
  killTree(fake(4711));
  (spawned.process as EventEmitter).emit('error', new Error('ENOENT'));
  expect(killed).toEqual(['SIGKILL']);
});

it('ends nothing that was never started', () => {
  on('win32');
  killTree(fake(undefined));
  expect(spawned.calls).toEqual([]);
  expect(killed).toEqual([]);
});
