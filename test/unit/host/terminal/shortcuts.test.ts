import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { bindShortcuts, hasShortcuts } from '../../../../src/host/terminal/shortcuts.ts';

/** Types lines as a person would. @returns the actions and the output */
async function type(...lines: string[]): Promise<string[]> {
  const input = new PassThrough();
  const done: string[] = [];
  const note = (name: string) => () => void done.push(name);
  bindShortcuts({
    input,
    print: (line) => done.push(line),
    actions: {
      restart: note('restart'),
      printUrls: note('urls'),
      openAdmin: note('open'),
      clear: note('clear'),
      quit: note('quit'),
    },
  });
  for (const line of lines) {
    input.write(`${line}\n`);
  }
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

describe('a key and Enter', () => {
  it('does what the help says', async () => {
    expect(await type('r', 'rs', 'u', 'o', 'c', 'q')).toEqual([
      'restart',
      'restart',
      'urls',
      'open',
      'clear',
      'quit',
    ]);
  });

  it('may have blanks around it, or be a capital letter', async () => {
    expect(await type(' R ', 'Q\r')).toEqual(['restart', 'quit']);
  });

  it('does nothing if it is no shortcut', async () => {
    expect(await type('', 'x', 'restart', 'toString', 'rr')).toEqual([]);
  });

  it('shows the help', async () => {
    const [help] = await type('h');
    for (const key of ['r', 'u', 'o', 'c', 'q']) {
      expect(help).toContain(`press ${key} + enter to`);
    }
  });
});

describe('there are keys', () => {
  const { isTTY } = process.stdin;

  afterEach(() => {
    process.stdin.isTTY = isTTY;
    vi.unstubAllEnvs();
  });

  it.each([
    { name: 'on a terminal', tty: true, ci: '', json: false, expected: true },
    { name: 'not without a terminal', tty: false, ci: '', json: false, expected: false },
    { name: 'not in CI', tty: true, ci: 'true', json: false, expected: false },
    { name: 'not with --json', tty: true, ci: '', json: true, expected: false },
  ])('$name', ({ tty, ci, json, expected }) => {
    process.stdin.isTTY = tty;
    vi.stubEnv('CI', ci);
    expect(hasShortcuts(json)).toBe(expected);
  });
});
