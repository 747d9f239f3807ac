import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import { join } from 'node:path';
import { REPOSITORY, SHOP } from '../test/e2e/support/repository.ts';

/** The machine and versions, without which a number means nothing. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  os: string;
  node: string;
  medusa: string;
  /** The commit of medusa-vite; with `+` if files were changed since. */
  commit: string;
}

export function describeMachine(): Machine {
  const cpus = os.cpus();
  const medusa = createRequire(join(SHOP, 'package.json')).resolve('@medusajs/medusa/package.json');
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.type()} ${os.release()}`,
    node: process.versions.node,
    medusa: (JSON.parse(readFileSync(medusa, 'utf8')) as { version: string }).version,
    commit: commit(),
  };
}

export function machineLine(machine: Machine): string {
  const { cpu, cores, memoryGb, os, node, medusa, commit } = machine;
  return `${cpu}, ${cores} cores, ${memoryGb} GB, ${os}, Node ${node}, Medusa ${medusa}, medusa-vite at ${commit}`;
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty=+', '--exclude=*'], {
      cwd: REPOSITORY,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
