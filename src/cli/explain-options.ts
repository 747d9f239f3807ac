import { parseArgs } from 'node:util';
import { MedusaViteError } from '../shared/failure.ts';

export interface ExplainOptions {
  /** As it was typed. */
  file: string;
  /** One JSON object on stdout. @default false */
  json: boolean;
}

const USAGE = 'Usage: medusa-vite explain <file> [--json]';

export const EXPLAIN_HELP: string = [
  USAGE,
  '',
  'Prints what a change of a file of this project would do, by which rule, and along which imports.',
  'Nothing is started or changed: neither the app nor its database is needed.',
  '',
  '      --json  print it as one JSON object',
  '  -h, --help  print this',
].join('\n');

/** @param argv The arguments without the command. @returns `help` if that was asked for. @throws MedusaViteError */
export function parseExplainOptions(argv: string[]): ExplainOptions | 'help' {
  const { tokens } = parseArgs({
    args: argv,
    options: { json: { type: 'boolean' } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  let json = false;
  const files: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') {
      files.push(token.value);
    } else if (token.kind === 'option' && (token.name === 'help' || token.name === 'h')) {
      return 'help';
    } else if (token.kind === 'option' && token.rawName === '--json' && !token.value) {
      json = true;
    } else if (token.kind === 'option') {
      throw usageError(`\`${token.rawName}\` is not an option of \`explain\`.`);
    }
  }
  const [file, second] = files;
  if (!file) {
    throw usageError('No file was given.');
  }
  if (second !== undefined) {
    throw usageError(`\`${second}\` is one file too many.`);
  }
  return { file, json };
}

function usageError(message: string): MedusaViteError {
  return new MedusaViteError(message, { code: 'USAGE', hint: `${USAGE}.` });
}
