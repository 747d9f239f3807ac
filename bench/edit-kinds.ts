import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Project } from '../test/e2e/support/project.ts';
import type { EditProbe } from './edit-sample.ts';

/** One kind of edit that people make, and the request that shows whether the edit has arrived. */
export interface EditKind {
  id: string;
  title: string;
  file: string | ((version: string) => string);
  /** @param version a word that occurs nowhere else; the source is empty if there is no file yet */
  edit(source: string, version: string): string;
  path: string | ((version: string) => string);
  probe?: Partial<EditProbe>;
  /** Whether the file is saved broken first; then the way back is measured. */
  isTypo?: boolean;
  /** Whether only a restart can take the edit: nobody makes two of these within a second. */
  isRare?: boolean;
}

/** In the order of measurement: edits that may take a server down come last. */
export const EDIT_KINDS: EditKind[] = [
  {
    id: 'route',
    title: 'Route, body',
    file: 'src/api/ping/route.ts',
    edit: replacing(/ping: '[^']*'/, (version) => `ping: '${version}'`),
    path: '/ping',
  },
  {
    id: 'helper',
    title: 'Helper, three imports away from its route',
    file: 'src/lib/words.ts',
    edit: replacing(/hello: '[^']*'/, (version) => `hello: '${version}'`),
    path: '/greeting',
  },
  {
    id: 'step',
    title: 'Step of a workflow',
    file: 'src/workflows/make-slogan/steps/praise.ts',
    edit: replacing(/is \w+`/, (version) => `is ${version}\``),
    path: '/slogan',
  },
  {
    id: 'subscriber',
    title: 'Subscriber, body',
    file: 'src/subscribers/bench.ts',
    edit: replacing(/\?\.\('\w+'\)/, (version) => `?.('${version}')`),
    path: '/bench/subscriber',
  },
  {
    id: 'job',
    title: 'Scheduled job, body',
    file: 'src/jobs/bench.ts',
    edit: replacing(/return '\w+'/, (version) => `return '${version}'`),
    path: '/bench/job',
  },
  {
    id: 'service',
    title: "Module's service",
    file: 'src/modules/brand/service.ts',
    edit: replacing(/handle: .*toHandle\(name\)/, (v) => `handle: '${v}' + toHandle(name)`),
    path: '/describe/acme',
  },
  {
    id: 'middleware',
    title: 'Middleware',
    file: 'src/api/middlewares.ts',
    edit: replacing(/'x-shop', '\w+'/, (version) => `'x-shop', '${version}'`),
    path: '/ping',
  },
  {
    id: 'new-route',
    title: 'New route',
    file: (version) => `src/api/bench/new/${version}/route.ts`,
    edit: (_, version) =>
      `export const GET = (_: any, res: any) => res.json({ new: '${version}' });\n`,
    path: (version) => `/bench/new/${version}`,
    probe: { isNew: true, control: '/ping' },
  },
  {
    id: 'env',
    title: '`.env`',
    file: '.env',
    edit: (_, version) => `SHOP_BENCH=${version}\n`,
    path: '/env?key=SHOP_BENCH',
    isRare: true,
  },
  {
    id: 'config',
    title: '`medusa-config.ts`',
    file: 'medusa-config.ts',
    edit: replacing(/options: .*brandOptions\(\).*\}/, (version) => {
      return `options: { ...brandOptions(), tagline: '${version}' } }`;
    }),
    path: '/describe/acme',
    isRare: true,
  },
  {
    id: 'restart',
    title: '`instrumentation.ts` (a restart)',
    file: 'instrumentation.ts',
    edit: (source, version) =>
      `${source.replace(/\nObject\.assign.*\n$/, '')}\nObject.assign(globalThis, { benchStarted: '${version}' });\n`,
    path: '/bench/started',
    isRare: true,
  },
  {
    id: 'typo',
    title: 'Typo in a route, then the fix',
    file: 'src/api/ping/route.ts',
    edit: replacing(/ping: '[^']*'/, (version) => `ping: '${version}'`),
    path: '/ping',
    isTypo: true,
  },
];

export interface PreparedEdit {
  file: string;
  save(): void;
  /** Saves the same code with a bracket too many. */
  saveBroken(): void;
  probe: EditProbe;
}

/** Prepares the next edit of a kind in the project. */
export function prepareEdit(kind: EditKind, project: Project, version: string): PreparedEdit {
  const file = typeof kind.file === 'function' ? kind.file(version) : kind.file;
  const path = typeof kind.path === 'function' ? kind.path(version) : kind.path;
  const absolute = join(project.root, file);
  const source = existsSync(absolute) ? readFileSync(absolute, 'utf8') : '';
  const next = kind.edit(source, version);
  if (next === source) {
    throw new Error(`The edit did not change \`${file}\`:\n${source}`);
  }
  return {
    file,
    save: () => project.write(file, next),
    saveBroken: () => project.write(file, source.replace('{', '{ ((')),
    probe: { path, isFresh: (text) => text.includes(version), ...kind.probe },
  };
}

function replacing(
  pattern: RegExp,
  replacement: (version: string) => string,
): (source: string, version: string) => string {
  return (source, version) => source.replace(pattern, () => replacement(version));
}
