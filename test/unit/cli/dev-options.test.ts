import { describe, expect, test } from 'vitest';
import { helpText, parseDevOptions, readCommand } from '../../../src/cli/dev-options.ts';
import { MedusaViteError } from '../../../src/shared/failure.ts';

const parse = (...argv: string[]) => parseDevOptions(argv, '/shop');

function complaint(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof MedusaViteError) {
      return `${error.message} ${error.hint}`;
    }
    throw error;
  }
  throw new Error('Expected an error.');
}

describe('dev options', () => {
  test('leaves open the options that the project may decide', () => {
    expect(parse()).toEqual({
      root: '/shop',
      port: undefined,
      host: undefined,
      types: true,
      hmr: undefined,
      inspect: undefined,
      pollMs: undefined,
      clearScreen: true,
      json: false,
      nodeArgs: [],
      spare: true,
    });
  });

  test.each([
    [['-p', '8080'], { port: 8080 }],
    [['-p8080'], { port: 8080 }],
    [['--port', '0'], { port: 0 }],
    [['--port=65535'], { port: 65_535 }],
    [['-H', '0.0.0.0'], { host: '0.0.0.0' }],
    [['--host=0'], { host: '0' }],
    [['--types'], { types: true }],
    [['--no-types'], { types: false }],
    [['--types', '--no-types'], { types: false }],
    [['--hmr'], { hmr: true }],
    [['--no-hmr'], { hmr: false }],
    [['--no-hmr', '--hmr'], { hmr: true }],
    [['--spare'], { spare: true }],
    [['--no-spare'], { spare: false }],
    [['--inspect'], { inspect: '--inspect' }],
    [['--inspect=9230'], { inspect: '--inspect=9230' }],
    [['--inspect=127.0.0.1:9229'], { inspect: '--inspect=127.0.0.1:9229' }],
    [['--inspect=[::1]:0'], { inspect: '--inspect=[::1]:0' }],
    [['--inspect-brk'], { inspect: '--inspect-brk' }],
    [['--inspect-brk=localhost:9229'], { inspect: '--inspect-brk=localhost:9229' }],
    [['--poll'], { pollMs: 100 }],
    [['--poll=500'], { pollMs: 500 }],
    [['--no-clear-screen'], { clearScreen: false }],
    [['--json'], { json: true }],
    [
      ['--', '--max-old-space-size=512', '-p', 'x'],
      { nodeArgs: ['--max-old-space-size=512', '-p', 'x'] },
    ],
    [['--json', '-p', '1', '--'], { json: true, port: 1, nodeArgs: [] }],
  ])('reads %j', (argv, expected) => {
    expect(parse(...argv)).toMatchObject(expected);
  });

  test('uses forward slashes for the root', () => {
    expect(parseDevOptions([], 'C:\\my shop').root).toBe('C:/my shop');
  });

  test.each([
    [
      ['--port', '65536'],
      '`65536` is not a port (`--port`). Give a number from 1 to 65535, or 0 for any free port.',
    ],
    [
      ['-p', 'abc'],
      '`abc` is not a port (`-p`). Give a number from 1 to 65535, or 0 for any free port.',
    ],
    [
      ['-p', '-1'],
      '`-1` is not a port (`-p`). Give a number from 1 to 65535, or 0 for any free port.',
    ],
    [
      ['-p', '1e3'],
      '`1e3` is not a port (`-p`). Give a number from 1 to 65535, or 0 for any free port.',
    ],
    [['--port', ''], '`--port` got an empty value. Give a value, or leave it out.'],
    [['--port'], '`--port` needs a value. Write `--port <n>`.'],
    [['-H'], '`-H` needs a value. Write `-H <h>`.'],
    [
      ['--inspect=host:99999'],
      '`99999` is not a port (`--inspect`). Give a number from 1 to 65535, or 0 for any free port.',
    ],
    [
      ['--inspect=a b'],
      '`a b` is not an address (`--inspect`). Write `--inspect=<host>:<port>`, for example `--inspect=127.0.0.1:9229`.',
    ],
    [
      ['--poll=soon'],
      '`soon` is not an interval (`--poll`). Give milliseconds, for example `--poll=300`.',
    ],
    [
      ['--poll=0'],
      '`0` is not an interval (`--poll`). Give milliseconds, for example `--poll=300`.',
    ],
    [['--poll', '300'], '`300` is one word too many. Write `--poll=300`.'],
    [['shop'], '`shop` is one word too many. See `medusa-vite dev --help`.'],
    [['--hmr=false'], '`--hmr` takes no value, but got `false`. Use `--hmr` or `--no-hmr`.'],
    [['--json=yes'], '`--json` takes no value, but got `yes`. Use `--json`.'],
    [['--prot', '1'], '`--prot` is not an option. Did you mean `--port`?'],
    [['--clear-scren'], '`--clear-scren` is not an option. Did you mean `--clear-screen`?'],
    [['--no-json'], '`--no-json` is not an option. See `medusa-vite dev --help`.'],
    [['--constructor'], '`--constructor` is not an option. See `medusa-vite dev --help`.'],
    [['-x'], '`-x` is not an option. See `medusa-vite dev --help`.'],
    [
      ['--max-old-space-size=512'],
      '`--max-old-space-size` is not an option of medusa-vite. Arguments for Node go after `--`: `medusa-vite dev -- --max-old-space-size`.',
    ],
  ])('says what is wrong with %j, in one line', (argv, expected) => {
    expect(complaint(() => parse(...argv))).toBe(expected);
  });
});

describe('command', () => {
  test.each([
    [['dev'], { command: 'dev', args: [] }],
    [['develop', '-p', '1'], { command: 'dev', args: ['-p', '1'] }],
    [['--host', 'dev', 'dev'], { command: 'dev', args: ['--host', 'dev'] }],
    [['dev', '--', 'dev', '-h'], { command: 'dev', args: ['--', 'dev', '-h'] }],
    [['explain', 'a.ts', '-h'], { command: 'explain', args: ['a.ts', '-h'] }],
    [['-h'], { command: 'help', args: [] }],
    [['dev', '--help'], { command: 'help', args: [] }],
    [['--version'], { command: 'version', args: [] }],
    [['-v'], { command: 'version', args: [] }],
  ])('reads %j', (argv, expected) => {
    expect(readCommand(argv)).toEqual(expected);
  });

  test('names an unknown command', () => {
    expect(complaint(() => readCommand(['start']))).toBe(
      '`start` is not a command. Run `medusa-vite dev`.',
    );
  });

  test('names the command when none was given', () => {
    expect(complaint(() => readCommand(['--', 'dev']))).toBe(
      'No command was given. Run `medusa-vite dev`.',
    );
  });

  test('explains every option in the help', () => {
    expect(helpText()).toContain('-p, --port <n>');
    expect(helpText()).toContain('--hmr, --no-hmr');
    expect(helpText()).toContain('--inspect-brk[=host:port]');
    expect(helpText()).toContain('-- <node arguments>');
  });
});
