import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';

/** A zombie, which has ended though no process has waited for it yet, does not run. */
export function isRunning(pid: number): boolean {
  if (process.platform === 'linux') {
    try {
      const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return !/^[ZX]/.test(status.slice(status.lastIndexOf(')') + 2));
    } catch {
      return false;
    }
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

interface Row {
  pid: number;
  parent: number;
  command: string;
}

/** A process with all of its descendants, as the system sees them. */
export function processTree(pid: number): number[] {
  return treeOf(pid).map((row) => row.pid);
}

/** Finds the one descendant of a process whose command line matches. */
export function findProcess(pid: number, command: RegExp): number {
  const found = findProcesses(pid, command);
  if (found.length !== 1 || found[0] === undefined) {
    throw new Error(`Expected one process like ${command} below ${pid}, found: ${found}`);
  }
  return found[0];
}

export function findProcesses(pid: number, command: RegExp): number[] {
  return treeOf(pid).flatMap((row) => (command.test(row.command) ? [row.pid] : []));
}

function treeOf(pid: number): Row[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line): Row => {
      const [, own, parent, command = ''] = /^\s*(\d+)\s+(\d+)\s*(.*)$/.exec(line) ?? [];
      return { pid: Number(own), parent: Number(parent), command };
    });
  const tree: Row[] = rows.filter((row) => row.pid === pid);
  for (const { pid: parent } of tree) {
    tree.push(...rows.filter((row) => row.parent === parent));
  }
  return tree;
}

export function isPortTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
