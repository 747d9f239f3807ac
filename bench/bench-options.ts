import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { REPOSITORY } from '../test/e2e/support/repository.ts';
import type { ServerName } from './bench-server.ts';
import { EDIT_KINDS } from './edit-kinds.ts';

export const SUITES = ['edits', 'scale', 'throughput', 'memory'] as const;
export type SuiteName = (typeof SUITES)[number];

export interface BenchOptions {
  suites: SuiteName[];
  servers: ServerName[];
  /** Ids of `EDIT_KINDS`. */
  kinds: string[];
  /** The numbers of files of generated projects. */
  sizes: number[];
  /** How often to measure operations that take milliseconds. */
  samples: number;
  /** How often to measure operations that take seconds. */
  slowSamples: number;
  /** The duration of one run of requests, in seconds. */
  loadSeconds: number;
  /** Measures just enough to see that everything works: the numbers mean nothing. */
  isQuick: boolean;
  /** Absolute path of the folder for the results. */
  out: string;
}

export const RESULTS: string = join(REPOSITORY, 'bench/results');

/** 1301 files hold 1,000 routes. */
const DEFAULT_SIZES = '10,100,1000,1301,5000';

const USAGE = `npm run bench -- [options]
  --all                   all four: ${SUITES.join(', ')} (edits alone by default)
  --suite <name,…>        some of them
  --servers <name,…>      of the edits: develop, hmr, vite
  --kinds <id,…>          of the edits: ${EDIT_KINDS.map(({ id }) => id).join(', ')}
  --sizes <n,…>           files of the generated projects (${DEFAULT_SIZES})
  --samples <n>           of what takes milliseconds (30)
  --slow-samples <n>      of what takes seconds (5)
  --load-seconds <n>      of each run of requests (4)
  --quick                 one sample of little, written to a temporary folder: only shows that it works
  --out <folder>          for the results (bench/results)`;

/** @returns undefined if the user asked for help, which is printed then */
export function parseBenchOptions(
  args: string[],
  temporary: () => string,
): BenchOptions | undefined {
  const { values } = parseArgs({
    args: args.filter((argument) => argument !== '--'),
    options: {
      all: { type: 'boolean', default: false },
      suite: { type: 'string' },
      servers: { type: 'string' },
      kinds: { type: 'string' },
      sizes: { type: 'string' },
      samples: { type: 'string' },
      'slow-samples': { type: 'string' },
      'load-seconds': { type: 'string' },
      quick: { type: 'boolean', default: false },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return undefined;
  }
  const { quick } = values;
  const kinds = EDIT_KINDS.map(({ id }) => id);
  return {
    suites: values.all ? [...SUITES] : chosen('suite', values.suite ?? 'edits', SUITES),
    servers: chosen('servers', values.servers, ['develop', 'hmr', 'vite']),
    kinds: chosen('kinds', values.kinds ?? (quick ? 'route,helper,new-route' : undefined), kinds),
    sizes: (values.sizes ?? (quick ? '10' : DEFAULT_SIZES)).split(',').map(positive),
    samples: positive(values.samples ?? (quick ? '1' : '30')),
    slowSamples: positive(values['slow-samples'] ?? (quick ? '1' : '5')),
    loadSeconds: positive(values['load-seconds'] ?? (quick ? '1' : '4')),
    isQuick: quick,
    out: values.out ? resolve(values.out) : quick ? temporary() : RESULTS,
  };
}

function chosen<T extends string>(
  option: string,
  names: string | undefined,
  all: readonly T[],
): T[] {
  if (names === undefined) {
    return [...all];
  }
  for (const name of names.split(',')) {
    if (!(all as readonly string[]).includes(name)) {
      throw new Error(`\`--${option}\`: there is no \`${name}\`. There are ${all.join(', ')}.`);
    }
  }
  return all.filter((name) => names.split(',').includes(name));
}

function positive(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number <= 0) {
    throw new Error(`\`${value}\` is not a number of anything.`);
  }
  return number;
}
