/**
 * The part of the shop that the oracle changes. Plain data, so that an edit is a few assignments: any subset of
 * a history can be replayed, and gives a project that is broken only where `broken` says so.
 */
export interface Model {
  helpers: Record<string, Helper>;
  barrel: 'star' | 'named';
  data: Record<string, { version: number }>;
  routes: Record<string, Route>;
  middlewares: Record<string, MiddlewareEntry>;
  schema: { minimum: number };
  steps: Record<string, Step>;
  workflows: Record<string, Workflow>;
  hooks: Record<string, Hook>;
  subscribers: Record<string, SubscriberFile>;
  jobs: Record<string, Job>;
  /** `aliases` are those of the joiner config, beside the service's own. */
  service: Code & { methods: string[]; aliases: string[] };
  provider: Code;
  /** Data models of the brand: the shop's own, and `other` in a file of its own. */
  dataModel: { isSearchable: boolean; hasColor: boolean; other: { version: number } | null };
  link: { version: number } | null;
  environment: { tagline: number };
  /** Versions of the shop's own files; see `SHOP_EDITS`. */
  shop: Record<string, number>;
  /** Comments at the end of files. */
  noise: Record<string, number>;
  broken: Record<string, Breakage>;
  /**
   * Whether `import()` of TypeScript and `import.meta.glob` occur: stock Medusa has neither, since its files are
   * CommonJS for ts-node, and `import()` is Node's.
   */
  hasViteSyntax: boolean;
}

export type Breakage = 'syntax' | 'throw' | 'import' | 'missing';
/** `glob` is a pattern that finds the helper wherever it is, or nothing. */
export type Via = 'direct' | 'alias' | 'barrel' | 'star' | 'require' | 'dynamic' | 'glob';

/** The code of a file: its output names the version, and contains the output of the helpers that it uses. */
export interface Code {
  version: number;
  uses: string[];
  via: Via;
  /** Whether the code, if it has a file of its own, is CommonJS in a `.js` file. */
  isScript: boolean;
}
export interface Helper extends Code {
  /** `@` is the linked package. */
  folder: '' | 'a/' | 'b/' | '@';
  form: 'file' | 'index';
  data: string | null;
  /** Whether the helper calls its own helpers when it is evaluated, not when it is called. */
  isEager: boolean;
}
export interface Route extends Code {
  area: 'public' | 'admin';
  methods: string[];
  hasParameter: boolean;
  isAuthenticated: boolean;
  runs: string | null;
}
export interface MiddlewareEntry extends Code {
  matcher: string;
  methods: string[] | null;
}
export interface Step extends Code {
  id: string;
  callsService: boolean;
}
export interface Workflow extends Code {
  id: string;
  steps: string[];
  nested: string | null;
  hasHook: boolean;
  /** The workflow whose id this one has, while both have the same steps: Medusa allows no other duplicates. */
  sharesIdOf: string | null;
}
export interface Hook extends Code {
  /** `core`, or a workflow of the model. */
  target: string;
}
export interface SubscriberFile extends Code {
  events: string[];
  id: string | null;
  handler: string;
}
export interface Job extends Code {
  name: string;
  schedule: string;
  executions: number | null;
}

/** An edit of the shop's own files: a text, and its replacement in version n. */
export interface ShopEdit {
  file: string;
  from: string;
  to(version: number): string;
  restarts?: boolean;
}

const recorded = (file: string): ShopEdit => ({
  file,
  from: "version: 'v1'",
  to: (version) => `version: 'edit ${version}'`,
});

export const SHOP_EDITS: ShopEdit[] = [
  { file: 'src/lib/words.ts', from: "'Hello'", to: (n) => `'Hello ${n}'` },
  { file: 'src/lib/brand-label.ts', from: '`“', to: (n) => `\`“${n}: ` },
  { file: 'src/lib/title-case.ts', from: ".join(' ')", to: (n) => `.join(' ').concat('~${n}')` },
  { file: 'src/lib/journal.ts', from: '...entry }', to: (n) => `...entry, lib: ${n} }` },
  { file: 'src/data/catalog.json', from: '24', to: (n) => `${1000 + n}` },
  { file: 'src/api/ping/route.ts', from: "'pong'", to: (n) => `'pong ${n}'` },
  { file: 'src/api/error-handler.ts', from: "'shop'", to: (n) => `'shop ${n}'` },
  { file: 'src/api/middlewares.ts', from: "'v1'", to: (n) => `'version ${n}'` },
  {
    file: 'src/api/validators.ts',
    from: 'brand_id: z.string().min(1)',
    to: (n) => `brand_id: z.string().min(${2 + (n % 3) * 100})`,
  },
  {
    file: 'src/workflows/make-slogan/workflow.ts',
    from: '`${praise}.`',
    to: (n) => `\`\${praise}!${n}\``,
  },
  {
    file: 'src/workflows/make-slogan/steps/praise.ts',
    from: ' is good`',
    to: (n) => ` is good ${n}\``,
  },
  recorded('src/subscribers/brand-created.ts'),
  recorded('src/subscribers/product-created.ts'),
  recorded('src/workflows/hooks/brand-created.ts'),
  recorded('src/workflows/create-brand/steps/create-brand.ts'),
  recorded('src/workflows/create-brand/steps/link-products.ts'),
  recorded('src/modules/brand/loaders/check-options.ts'),
  recorded('src/jobs/count-brands.ts'),
  { file: 'src/modules/brand/handle.ts', from: "g, '-')", to: (n) => `g, '-${n}-')` },
  {
    file: 'config/brand-options.ts',
    from: "mark: '®'",
    to: (n) => `mark: '® ${n}'`,
    restarts: true,
  },
  {
    file: 'config/notification-providers.ts',
    from: "'the shop'",
    to: (n) => `'the shop ${n}'`,
    restarts: true,
  },
  {
    file: 'src/feature-flags/loud-greetings.ts',
    from: 'default_val: false',
    to: (n) => `default_val: ${n % 2 === 1} /* ${n} */`,
    restarts: true,
  },
  {
    file: 'src/links/product-brand.ts',
    from: 'isList: true }',
    to: (n) => `isList: ${n % 2 === 0} as boolean /* ${n} */ }`,
    restarts: true,
  },
  {
    file: 'src/lib/evaluations.ts',
    from: '?? 0) + 1',
    to: (n) => `?? 0) + 1 + ${n} - ${n}`,
    restarts: true,
  },
];

export const HELPERS: string[] = numbered('h', 7);
export const DATA: string[] = numbered('d', 3);
export const ROUTES: string[] = numbered('r', 5);
export const MIDDLEWARES: string[] = numbered('m', 3);
export const STEPS: string[] = numbered('s', 5);
export const WORKFLOWS: string[] = numbered('w', 4);
export const HOOKS: string[] = numbered('k', 3);
export const SUBSCRIBERS: string[] = numbered('u', 4);
export const JOBS: string[] = numbered('j', 3);
export const EVENTS: string[] = ['oracle.e1', 'oracle.e2', 'oracle.e3'];
export const EXTRA_METHODS: string[] = ['oracleX', 'oracleY'];
export const ALIASES: string[] = ['oracle_maker', 'oracle_label'];
/** Name of a job that several files share. */
export const SHARED_JOB = 'oracle-shared';
/** Schedules half a day away, so that no job ever runs by itself. */
export const SCHEDULES: string[] = Array.from({ length: 4 }, (_, index) => {
  const hour = (new Date().getHours() + 11 + index) % 24;
  return index === 3 ? '{ interval: 40_000_000 }' : `'0 ${hour} * * *'`;
});

export function createModel(hasViteSyntax: boolean): Model {
  const code = { version: 1, uses: [], via: 'direct', isScript: false } as const satisfies Code;
  const plain = { folder: '', form: 'file', data: null, isEager: false } as const;
  return {
    helpers: {
      h1: { ...code, ...plain, uses: ['h2'] },
      h2: { ...code, ...plain, data: 'd1' },
      h3: { ...code, ...plain, folder: 'a/', uses: ['h4'] },
      h4: { ...code, ...plain, folder: '@' },
    },
    barrel: 'star',
    data: { d1: { version: 1 } },
    routes: {
      r1: { ...code, ...createRoute(), uses: ['h1'] },
      r2: { ...code, ...createRoute(), area: 'admin', runs: 'w1' },
    },
    middlewares: { m1: { ...code, matcher: '/oracle/*', methods: null, uses: ['h3'] } },
    schema: { minimum: 1 },
    steps: { s1: { ...code, id: 's1', callsService: false, uses: ['h2'] } },
    workflows: {
      w1: { ...code, id: 'w1', steps: ['s1'], nested: null, hasHook: true, sharesIdOf: null },
    },
    hooks: { k1: { ...code, target: 'w1', uses: ['h3'] } },
    subscribers: {
      u1: { ...code, events: [EVENTS[0] ?? ''], id: null, handler: 'onU1', uses: ['h1'] },
    },
    jobs: {
      j1: {
        ...code,
        name: 'oracle-j1',
        schedule: SCHEDULES[0] ?? '',
        executions: null,
        uses: ['h3'],
      },
    },
    service: { ...code, methods: [], aliases: [], uses: ['h3'] },
    provider: { ...code, uses: ['h3'] },
    dataModel: { isSearchable: true, hasColor: false, other: null },
    link: null,
    environment: { tagline: 0 },
    shop: {},
    noise: {},
    broken: {},
    hasViteSyntax,
  };
}

export function createRoute(): Omit<Route, keyof Code> {
  return {
    area: 'public',
    methods: ['GET'],
    hasParameter: false,
    isAuthenticated: true,
    runs: null,
  };
}

function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
}
