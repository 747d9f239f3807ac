import { parseArgs } from 'node:util';
import type { HostSettings } from '../host/host.ts';
import { parseInspectAddress } from '../host/processes/inspect-option.ts';
import { MedusaViteError } from '../shared/failure.ts';
import { toPosix } from '../shared/paths.ts';

/** The options of `medusa-vite dev`; the host resolves those that are left open. */
export interface DevOptions extends HostSettings {
  /** The project: absolute, with forward slashes. */
  root: string;
  /** Interval to poll for changes at, instead of waiting for events of the file system. */
  pollMs: number | undefined;
  /** @default true */
  clearScreen: boolean;
  /** Events on stdout, one JSON object per line. @default false */
  json: boolean;
}

export type Command = 'dev' | 'explain' | 'help' | 'version';

/** How often chokidar, and so Vite, polls unless told otherwise. */
const DEFAULT_POLL_MS = 100;

interface OptionSpec {
  name: string;
  short?: string;
  /** Absent: a switch. `optional`: only `--name=value` gives one, so that the next argument stays a word. */
  value?: { label: string; optional?: true };
  /** Whether `--no-name` exists. */
  negatable?: true;
  text: string;
}

const OPTIONS: OptionSpec[] = [
  { name: 'port', short: 'p', value: { label: '<n>' }, text: 'port of the app (PORT, or 9000)' },
  { name: 'host', short: 'H', value: { label: '<h>' }, text: 'address to listen on (HOST)' },
  { name: 'types', negatable: true, text: 'write .medusa/types once the app is ready (default)' },
  { name: 'hmr', negatable: true, text: 'backend HMR, whatever the flag backend_hmr says' },
  {
    name: 'inspect',
    value: { label: '[=host:port]', optional: true },
    text: 'debug the app with an inspector',
  },
  {
    name: 'inspect-brk',
    value: { label: '[=host:port]', optional: true },
    text: 'the same, and wait for it before the app starts',
  },
  {
    name: 'spare',
    negatable: true,
    text: 'keep a process ready for the next restart (default)',
  },
  {
    name: 'poll',
    value: { label: '[=ms]', optional: true },
    text: 'poll for changes: for network drives and some containers',
  },
  { name: 'clear-screen', negatable: true, text: 'clear the terminal on a reload (default)' },
  { name: 'json', text: 'print events as JSON on stdout' },
  { name: 'help', short: 'h', text: 'print this' },
  { name: 'version', short: 'v', text: 'print the version' },
];

const NAMES = OPTIONS.flatMap(({ name, negatable }) => (negatable ? [name, `no-${name}`] : [name]));

/** The command, and the arguments without it. */
export function readCommand(argv: string[]): { command: Command; args: string[] } {
  if (argv[0] === 'explain') {
    return { command: 'explain', args: argv.slice(1) };
  }
  const tokens = tokenize(argv);
  for (const token of tokens) {
    if (token.kind === 'option' && (token.name === 'help' || token.name === 'version')) {
      return { command: token.name, args: [] };
    }
  }
  const end = tokens.find((token) => token.kind === 'option-terminator')?.index ?? argv.length;
  const word = tokens.find((token) => token.kind === 'positional' && token.index < end);
  if (word?.kind !== 'positional') {
    throw usageError('No command was given.', 'Run `medusa-vite dev`.');
  }
  if (word.value !== 'dev' && word.value !== 'develop') {
    throw usageError(`\`${word.value}\` is not a command.`, 'Run `medusa-vite dev`.');
  }
  return { command: 'dev', args: argv.toSpliced(word.index, 1) };
}

/** @param argv The arguments of `dev`, without the command. */
export function parseDevOptions(argv: string[], root: string = process.cwd()): DevOptions {
  const options: DevOptions = {
    root: toPosix(root),
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
  };
  for (const token of tokenize(argv)) {
    if (token.kind === 'option-terminator') {
      options.nodeArgs = argv.slice(token.index + 1);
      break;
    }
    if (token.kind === 'positional') {
      throw unexpectedWord(token.value, argv[token.index - 1]);
    }
    applyOption(options, token);
  }
  return options;
}

export function helpText(): string {
  const rows = OPTIONS.map(({ name, short, value, negatable, text }) => {
    const separator = value && !value.optional ? ' ' : '';
    const flags = `${short ? `-${short}, ` : '    '}--${name}${separator}${value?.label ?? ''}`;
    return [negatable ? `${flags}, --no-${name}` : flags, text] as const;
  });
  const width = Math.max(...rows.map(([flags]) => flags.length));
  return [
    'Usage: medusa-vite dev [options] [-- <node arguments>]',
    '',
    'Starts the Medusa project in this folder and keeps it up to date. `develop` means the same.',
    '`medusa-vite explain <file>` prints what a change of a file would do, and by which rule.',
    '',
    ...rows.map(([flags, text]) => `  ${flags.padEnd(width)}  ${text}`),
  ].join('\n');
}

type Token = ReturnType<typeof tokenize>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

/**
 * `parseArgs` and not `cac`, which turns values into numbers before we see them: `--port ""` (an unset
 * variable in a script) would be port 0, and an error could not quote what was typed.
 */
function tokenize(args: string[]) {
  const options = Object.fromEntries(
    OPTIONS.flatMap(({ name, short, value, negatable }) => {
      const type = value && !value.optional ? ('string' as const) : ('boolean' as const);
      const option = [name, short ? { type, short } : { type }] as const;
      return negatable ? [option, [`no-${name}`, { type }] as const] : [option];
    }),
  );
  return parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function applyOption(options: DevOptions, token: OptionToken): void {
  const { name, rawName, value } = token;
  const isNegative = name.startsWith('no-');
  const spec = OPTIONS.find((option) => option.name === (isNegative ? name.slice(3) : name));
  if (!spec || (isNegative && !spec.negatable)) {
    throw unknownOption(token);
  }
  if (!spec.value && value !== undefined) {
    throw usageError(
      `\`${rawName}\` takes no value, but got \`${value}\`.`,
      spec.negatable ? `Use \`--${spec.name}\` or \`--no-${spec.name}\`.` : `Use \`${rawName}\`.`,
    );
  }
  if (spec.value && value === '') {
    throw usageError(`\`${rawName}\` got an empty value.`, 'Give a value, or leave it out.');
  }
  if (spec.value && !spec.value.optional && value === undefined) {
    throw usageError(`\`${rawName}\` needs a value.`, `Write \`${rawName} ${spec.value.label}\`.`);
  }
  switch (name) {
    case 'port':
      options.port = parsePort(value ?? '', rawName);
      return;
    case 'host':
      options.host = value;
      return;
    case 'types':
    case 'no-types':
      options.types = !isNegative;
      return;
    case 'hmr':
    case 'no-hmr':
      options.hmr = !isNegative;
      return;
    case 'spare':
    case 'no-spare':
      options.spare = !isNegative;
      return;
    case 'inspect':
    case 'inspect-brk':
      options.inspect =
        value === undefined ? rawName : `${rawName}=${parseAddress(value, rawName)}`;
      return;
    case 'poll':
      options.pollMs = value === undefined ? DEFAULT_POLL_MS : parseInterval(value);
      return;
    case 'clear-screen':
    case 'no-clear-screen':
      options.clearScreen = !isNegative;
      return;
    case 'json':
      options.json = true;
      return;
    default:
      throw unknownOption(token);
  }
}

function parsePort(value: string, option: string): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw usageError(
      `\`${value}\` is not a port (\`${option}\`).`,
      'Give a number from 1 to 65535, or 0 for any free port.',
    );
  }
  return Number(value);
}

function parseAddress(value: string, option: string): string {
  const address = parseInspectAddress(value);
  if (!address) {
    throw usageError(
      `\`${value}\` is not an address (\`${option}\`).`,
      `Write \`${option}=<host>:<port>\`, for example \`${option}=127.0.0.1:9229\`.`,
    );
  }
  parsePort(String(address.port), option);
  return value;
}

function parseInterval(value: string): number {
  if (!/^\d{1,6}$/.test(value) || Number(value) === 0) {
    throw usageError(
      `\`${value}\` is not an interval (\`--poll\`).`,
      'Give milliseconds, for example `--poll=300`.',
    );
  }
  return Number(value);
}

function unknownOption({ rawName }: OptionToken): MedusaViteError {
  const close = NAMES.map((name) => `--${name}`).find((name) => isOneEditAway(name, rawName));
  if (close) {
    return usageError(`\`${rawName}\` is not an option.`, `Did you mean \`${close}\`?`);
  }
  if (process.allowedNodeEnvironmentFlags.has(rawName)) {
    const hint = `Arguments for Node go after \`--\`: \`medusa-vite dev -- ${rawName}\`.`;
    return usageError(`\`${rawName}\` is not an option of medusa-vite.`, hint);
  }
  return usageError(`\`${rawName}\` is not an option.`, 'See `medusa-vite dev --help`.');
}

function unexpectedWord(word: string, before: string | undefined): MedusaViteError {
  const spec = OPTIONS.find(({ name, value }) => value?.optional && before === `--${name}`);
  return usageError(
    `\`${word}\` is one word too many.`,
    spec ? `Write \`--${spec.name}=${word}\`.` : 'See `medusa-vite dev --help`.',
  );
}

function usageError(message: string, hint: string): MedusaViteError {
  return new MedusaViteError(message, { code: 'USAGE', hint });
}

/** One letter more, less or different, or two neighbours swapped. */
function isOneEditAway(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && a[start] === b[start]) {
    start++;
  }
  const [restA, restB] = [a.slice(start), b.slice(start)];
  return (
    restA.slice(1) === restB ||
    restA === restB.slice(1) ||
    restA.slice(1) === restB.slice(1) ||
    (restA[0] === restB[1] && restA[1] === restB[0] && restA.slice(2) === restB.slice(2))
  );
}
