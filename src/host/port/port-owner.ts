import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';

/** The program that listens on a port. */
export interface PortOwner {
  pid: number;
  command: string | undefined;
}

/** Only an error message depends on it: better without the name than late. */
const LOOKUP_LIMIT_MS = 500;
const MAX_COMMAND_LENGTH = 100;

/** Resolves to undefined if it cannot be found out in time, e.g. because another user runs it. */
export async function findPortOwner(port: number): Promise<PortOwner | undefined> {
  const limit = AbortSignal.timeout(LOOKUP_LIMIT_MS);
  const isLate = new Promise<undefined>((resolve) => {
    limit.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const owner = lookUp(port, limit).catch(() => undefined);
  return Promise.race([owner, isLate]);
}

export function describePortOwner({ pid, command }: PortOwner): string {
  return command === undefined ? `process ${pid}` : `process ${pid} (${shorten(command)})`;
}

function lookUp(port: number, limit: AbortSignal): Promise<PortOwner | undefined> {
  switch (process.platform) {
    case 'linux':
      return findOnLinux(port, limit);
    case 'win32':
      return findOnWindows(port, limit);
    default:
      return findWithLsof(port, limit);
  }
}

async function findOnLinux(port: number, limit: AbortSignal): Promise<PortOwner | undefined> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  const inodes = tables.flatMap((table) => listeningInodes(table, port));
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) {
    return undefined;
  }
  for (const pid of await readdir('/proc')) {
    if (limit.aborted) {
      return undefined;
    }
    if (/^\d+$/.test(pid) && (await hasOneOf(sockets, pid))) {
      const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return { pid: Number(pid), command: commandLine.replaceAll('\0', ' ').trim() || undefined };
    }
  }
  return undefined;
}

/** Inodes of the sockets in `/proc/net/tcp*` that listen on a port. */
export function listeningInodes(table: string, port: number): string[] {
  const LISTEN = '0A';
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(suffix) && columns[3] === LISTEN)
    .flatMap((columns) => columns[9] ?? []);
}

async function hasOneOf(sockets: Set<string>, pid: string): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  const descriptors = await readdir(directory).catch(() => []);
  const targets = await Promise.all(
    descriptors.map((descriptor) => readlink(`${directory}/${descriptor}`).catch(() => '')),
  );
  return targets.some((target) => sockets.has(target));
}

async function findWithLsof(port: number, limit: AbortSignal): Promise<PortOwner | undefined> {
  const output = await run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], limit);
  const owner = parseLsof(output);
  if (owner === undefined) {
    return undefined;
  }
  const commandLine = await run('ps', ['-o', 'command=', '-p', String(owner.pid)], limit).catch(
    () => '',
  );
  return { pid: owner.pid, command: commandLine.trim() || owner.command };
}

/** `lsof -F` prints one field per line, named by its first letter. */
export function parseLsof(output: string): PortOwner | undefined {
  const pid = /^p(\d+)$/m.exec(output)?.[1];
  return pid === undefined
    ? undefined
    : { pid: Number(pid), command: /^c(.+)$/m.exec(output)?.[1] };
}

async function findOnWindows(port: number, limit: AbortSignal): Promise<PortOwner | undefined> {
  const pid = parseNetstat(await run('netstat', ['-ano', '-p', 'TCP'], limit), port);
  if (pid === undefined) {
    return undefined;
  }
  const filter = ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH'];
  const list = await run('tasklist', filter, limit).catch(() => '');
  return { pid, command: /^"([^"]+)"/m.exec(list)?.[1] };
}

/** The state is translated on some systems; a socket that listens is the one without a peer. */
export function parseNetstat(output: string, port: number): number | undefined {
  for (const line of output.split('\n')) {
    const [protocol, local, remote, , pid] = line.trim().split(/\s+/);
    if (protocol === 'TCP' && local?.endsWith(`:${port}`) && remote?.endsWith(':0')) {
      return Number(pid);
    }
  }
  return undefined;
}

function run(program: string, args: string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { signal, windowsHide: true }, (error, stdout) => {
      if (error === null) {
        resolve(stdout);
      } else {
        reject(error);
      }
    });
  });
}

function shorten(command: string): string {
  return command.length > MAX_COMMAND_LENGTH
    ? `${command.slice(0, MAX_COMMAND_LENGTH - 1)}…`
    : command;
}
