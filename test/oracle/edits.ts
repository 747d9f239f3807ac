import {
  ALIASES,
  type Breakage,
  type Code,
  createRoute,
  DATA,
  EVENTS,
  EXTRA_METHODS,
  HELPERS,
  HOOKS,
  JOBS,
  MIDDLEWARES,
  type Model,
  ROUTES,
  SCHEDULES,
  SHARED_JOB,
  SHOP_EDITS,
  STEPS,
  SUBSCRIBERS,
  type Via,
  WORKFLOWS,
} from './model.ts';
import {
  BARREL_FILE,
  dataFile,
  helperFile,
  hookFile,
  jobFile,
  MIDDLEWARE_FILE,
  PACKAGE_BARREL_FILE,
  PROVIDER_FILE,
  routeFile,
  SERVICE_FILE,
  stepFile,
  subscriberFile,
  workflowFile,
} from './paths.ts';
import type { Random } from './random.ts';
import { isPackaged, reachedFiles } from './reach.ts';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Changes that are saved together or in a row. Plain data: a history of edits can be printed, cut and replayed. */
export interface Edit {
  kind: string;
  /** Paths into the model, and their new values; `null` removes an entry of a record. */
  set: [path: string[], value: Json][];
  /** Seed of the order in which the files are written. */
  order: number;
  /** Pause after each written file; 0 is "Save all". */
  pauseMs: number;
  /** Whether the next edit comes without waiting for this one. */
  isHasty?: boolean;
}

type Maker = (model: Model, random: Random) => Edit['set'] | '' | undefined;

const VIAS: Via[] = ['direct', 'alias', 'barrel', 'star', 'require', 'dynamic', 'glob'];

/** Edits of this kind must have no effect at all. */
export const NOISE = 'comment';

const MAKERS: [kind: string, weight: number, make: Maker][] = [
  ['body', 22, (model, random) => [[...bump(model, random)]]],
  ['import edges', 10, changeUses],
  ['import style', 6, (model, random) => [[[...anyCode(model, random), 'via'], random.pick(VIAS)]]],
  [
    'evaluation at import',
    2,
    (model, random) => {
      const name = existing(model.helpers, random);
      return name && [[['helpers', name, 'isEager'], !model.helpers[name]?.isEager]];
    },
  ],
  [
    'move of a helper',
    5,
    (model, random) => {
      const name = existing(model.helpers, random);
      return (
        name && [
          [['helpers', name, 'folder'], random.pick(['', 'a/', 'b/', '@'])],
          [['helpers', name, 'form'], random.pick(['file', 'index'])],
        ]
      );
    },
  ],
  ['rename of a helper', 3, renameHelper],
  [
    'helper',
    5,
    (model, random) =>
      toggle(model, random, 'helpers', HELPERS, () => ({
        ...code(random),
        uses: [random.pick(HELPERS)],
        folder: random.pick(['', '', '@']),
        form: 'file',
        data: random.pick([null, ...DATA]),
        isEager: random.chance(0.2),
      })),
  ],
  ['script', 2, toggleScript],
  ['barrel', 1, (model) => [[['barrel'], model.barrel === 'star' ? 'named' : 'star']]],
  [
    'json',
    4,
    (model, random) => {
      const name = existing(model.data, random);
      return name && [[['data', name, 'version'], version(random)]];
    },
  ],
  [
    'json file',
    2,
    (model, random) => toggle(model, random, 'data', DATA, () => ({ version: version(random) })),
  ],
  [
    'json import',
    2,
    (model, random) => {
      const name = existing(model.helpers, random);
      return name && [[['helpers', name, 'data'], random.pick([null, ...DATA])]];
    },
  ],
  [
    'route file',
    5,
    (model, random) =>
      toggle(model, random, 'routes', ROUTES, () => ({
        ...code(random),
        ...createRoute(),
        area: random.pick(['public', 'public', 'admin']),
        uses: [random.pick(HELPERS)],
      })),
  ],
  [
    'route shape',
    6,
    (model, random) => {
      const name = existing(model.routes, random);
      const route = name && model.routes[name];
      return name && route
        ? random.pick<() => Edit['set']>([
            () => [
              [
                ['routes', name, 'methods'],
                ['GET', 'POST', 'PUT', 'DELETE'].filter(() => random.chance(0.5)),
              ],
            ],
            () => [[['routes', name, 'hasParameter'], !route.hasParameter]],
            () => [[['routes', name, 'isAuthenticated'], !route.isAuthenticated]],
            () => [[['routes', name, 'runs'], random.pick([null, ...WORKFLOWS])]],
          ])()
        : undefined;
    },
  ],
  [
    'middleware entry',
    4,
    (model, random) =>
      toggle(model, random, 'middlewares', MIDDLEWARES, () => ({
        ...code(random),
        uses: [random.pick(HELPERS)],
        ...matcher(random),
      })),
  ],
  [
    'matcher',
    3,
    (model, random) => {
      const name = existing(model.middlewares, random);
      return (
        name &&
        Object.entries(matcher(random)).map(([key, value]) => [['middlewares', name, key], value])
      );
    },
  ],
  ['validator', 2, (_, random) => [[['schema', 'minimum'], 1 + random.below(9)]]],
  [
    'step file',
    3,
    (model, random) =>
      toggle(model, random, 'steps', STEPS, (name) => ({
        ...code(random),
        uses: [random.pick(HELPERS)],
        id: name,
        callsService: random.chance(0.3),
      })),
  ],
  [
    'step id',
    2,
    (model, random) => {
      const name = existing(model.steps, random);
      return (
        name && [[['steps', name, 'id'], model.steps[name]?.id === name ? `${name}-renamed` : name]]
      );
    },
  ],
  [
    'step and service',
    1,
    (model, random) => {
      const name = existing(model.steps, random);
      return name && [[['steps', name, 'callsService'], !model.steps[name]?.callsService]];
    },
  ],
  [
    'workflow file',
    4,
    (model, random) =>
      toggle(model, random, 'workflows', WORKFLOWS, (name) => ({
        ...code(random),
        uses: [],
        id: name,
        steps: random.shuffle(STEPS).slice(0, 1 + random.below(3)),
        nested: random.pick([null, ...WORKFLOWS]),
        hasHook: random.chance(0.6),
        sharesIdOf: null,
      })),
  ],
  [
    'workflow shape',
    6,
    (model, random) => {
      const name = existing(model.workflows, random);
      const workflow = name && model.workflows[name];
      return name && workflow
        ? random.pick<() => Edit['set']>([
            () => [
              [['workflows', name, 'steps'], random.shuffle(STEPS).slice(0, 1 + random.below(3))],
            ],
            () => [[['workflows', name, 'nested'], random.pick([null, ...WORKFLOWS])]],
            () => [[['workflows', name, 'hasHook'], !workflow.hasHook]],
            () => [[['workflows', name, 'id'], workflow.id === name ? `${name}-renamed` : name]],
          ])()
        : undefined;
    },
  ],
  ['shared id of a workflow', 2, shareId],
  [
    'hook file',
    4,
    (model, random) =>
      toggle(model, random, 'hooks', HOOKS, () => ({
        ...code(random),
        uses: [random.pick(HELPERS)],
        target: random.pick(['core', ...WORKFLOWS]),
      })),
  ],
  [
    'hook target',
    3,
    (model, random) => {
      const name = existing(model.hooks, random);
      return name && [[['hooks', name, 'target'], random.pick(['core', ...WORKFLOWS])]];
    },
  ],
  [
    'subscriber file',
    4,
    (model, random) =>
      toggle(model, random, 'subscribers', SUBSCRIBERS, (name) => ({
        ...code(random),
        uses: [random.pick(HELPERS)],
        events: events(random),
        id: null,
        handler: `on${name.toUpperCase()}`,
      })),
  ],
  [
    'subscriber shape',
    5,
    (model, random) => {
      const name = existing(model.subscribers, random);
      return (
        name &&
        random.pick<() => Edit['set']>([
          () => [[['subscribers', name, 'events'], events(random)]],
          () => [[['subscribers', name, 'id'], random.pick([null, `${name}-a`, `${name}-b`])]],
          () => [
            [
              ['subscribers', name, 'handler'],
              `on${name.toUpperCase()}${random.pick(['', 'Again'])}`,
            ],
          ],
        ])()
      );
    },
  ],
  [
    'job file',
    4,
    (model, random) =>
      toggle(model, random, 'jobs', JOBS, (name) => ({
        ...code(random),
        uses: [random.pick(HELPERS)],
        name: `oracle-${name}`,
        schedule: random.pick(SCHEDULES),
        executions: random.pick([null, null, 3]),
      })),
  ],
  [
    'job shape',
    5,
    (model, random) => {
      const name = existing(model.jobs, random);
      return (
        name &&
        random.pick<() => Edit['set']>([
          () => [[['jobs', name, 'schedule'], random.pick(SCHEDULES)]],
          () => [[['jobs', name, 'executions'], random.pick([null, 2, 3])]],
          () => [
            [
              ['jobs', name, 'name'],
              random.pick([`oracle-${name}`, `oracle-${name}-renamed`, SHARED_JOB, SHARED_JOB]),
            ],
          ],
        ])()
      );
    },
  ],
  [
    'service shape',
    3,
    (_, random) => [[['service', 'methods'], EXTRA_METHODS.filter(() => random.chance(0.5))]],
  ],
  [
    'joiner config',
    3,
    (_, random) => [[['service', 'aliases'], ALIASES.filter(() => random.chance(0.5))]],
  ],
  ['file of the shop', 14, (model, random) => shopEdit(model, random, false)],
  ['restart', 1, (model, random) => shopEdit(model, random, true)],
  [
    'link',
    0.5,
    (model, random) => [
      [['link'], model.link && random.chance(0.5) ? null : { version: version(random) }],
    ],
  ],
  [
    'data model',
    0.4,
    ({ dataModel }, random) =>
      random.pick<() => Edit['set']>([
        () => [[['dataModel', 'isSearchable'], !dataModel.isSearchable]],
        () => [[['dataModel', 'hasColor'], !dataModel.hasColor]],
        () => [
          [
            ['dataModel', 'other'],
            dataModel.other && random.chance(0.5) ? null : { version: version(random) },
          ],
        ],
      ])(),
  ],
  ['environment', 0.5, (_, random) => [[['environment', 'tagline'], version(random)]]],
  [NOISE, 6, (model, random) => [[['noise', random.pick(breakableFiles(model))], version(random)]]],
  ['break', 6, breakFile],
];

/** How likely the next edit mends a file, while any is broken. */
const MEND = 0.35;

export function randomEdit(model: Model, random: Random): Edit {
  const broken = Object.keys(model.broken);
  if (broken.length > 0 && random.chance(MEND)) {
    const file = random.pick(broken);
    return finish('fix', [[['broken', file], null]], random);
  }
  if (random.chance(0.05)) {
    const many = Array.from({ length: 2 + random.below(4) }, () => makeOne(model, random));
    return finish(
      `many: ${many.map(({ kind }) => kind).join(', ')}`,
      many.flatMap(({ set }) => set),
      random,
    );
  }
  const { kind, set } = makeOne(model, random);
  return finish(kind, set, random);
}

function makeOne(model: Model, random: Random): { kind: string; set: Edit['set'] } {
  const total = MAKERS.reduce((sum, [, weight]) => sum + weight, 0);
  for (;;) {
    let at = random.next() * total;
    const maker = MAKERS.find(([, weight]) => {
      at -= weight;
      return at < 0;
    });
    const set = maker?.[2](model, random);
    if (maker && set && set.length > 0) {
      return { kind: maker[0], set };
    }
  }
}

function finish(kind: string, set: Edit['set'], random: Random): Edit {
  const pauseMs = random.pick([0, 0, 0, 0, 5, 30, 120]);
  return {
    kind,
    set,
    order: random.below(1_000_000),
    pauseMs,
    ...(random.chance(0.08) && { isHasty: true }),
  };
}

/** Assigns the values of an edit; leaves out a path that leads nowhere, or no longer anywhere. */
export function applyEdit(model: Model, edit: Edit): Model {
  const next = structuredClone(model);
  for (const [path, value] of edit.set) {
    let target: unknown = next;
    for (const key of path.slice(0, -1)) {
      target = target instanceof Object ? Reflect.get(target, key) : undefined;
    }
    const key = path.at(-1);
    if (!(target instanceof Object) || key === undefined) {
      continue;
    }
    const isEntry = path.length === 2 && value === null;
    if (isEntry) {
      Reflect.deleteProperty(target, key);
    } else {
      Reflect.set(target, key, structuredClone(value));
    }
  }
  return next;
}

function bump(model: Model, random: Random): [string[], number] {
  return [[...anyCode(model, random), 'version'], version(random)];
}

const RECORDS = [
  'helpers',
  'routes',
  'middlewares',
  'steps',
  'workflows',
  'hooks',
  'subscribers',
  'jobs',
] as const;

/** Path of a random part of the model that has code. */
function anyCode(model: Model, random: Random): string[] {
  for (;;) {
    const kind = random.pick([...RECORDS, 'helpers', 'service', 'provider'] as const);
    if (kind === 'service' || kind === 'provider') {
      return [kind];
    }
    const name = existing(model[kind], random);
    if (name !== undefined) {
      return [kind, name];
    }
  }
}

function codeAt(model: Model, [kind, name]: string[]): Code | undefined {
  const record: unknown = Reflect.get(model, kind ?? '');
  return (name === undefined ? record : Reflect.get(Object(record), name)) as Code | undefined;
}

function changeUses(model: Model, random: Random): Edit['set'] {
  const path = anyCode(model, random);
  const uses = codeAt(model, path)?.uses ?? [];
  const helper = random.pick(HELPERS);
  const next =
    uses.length > 0 && (uses.length >= 2 || random.chance(0.3))
      ? random.chance(0.5)
        ? uses.slice(1)
        : [...uses.slice(1), helper]
      : [...uses, helper];
  return [[[...path, 'uses'], [...new Set(next)]]];
}

function renameHelper(model: Model, random: Random): Edit['set'] | undefined {
  const from = existing(model.helpers, random);
  const to = HELPERS.find((name) => !(name in model.helpers));
  const helper = from && model.helpers[from];
  if (!from || !to || !helper) {
    return undefined;
  }
  const set: Edit['set'] = [
    [['helpers', to], { ...helper }],
    [['helpers', from], null],
  ];
  const users = [
    ...RECORDS.flatMap((kind) => Object.keys(model[kind]).map((name) => [kind, name])),
    ['service'],
    ['provider'],
  ];
  for (const path of users) {
    const uses = codeAt(model, path)?.uses ?? [];
    if (uses.includes(from)) {
      const target = path[0] === 'helpers' && path[1] === from ? ['helpers', to] : path;
      set.push([[...target, 'uses'], uses.map((name) => (name === from ? to : name))]);
    }
  }
  return set;
}

function toggleScript(model: Model, random: Random): Edit['set'] | undefined {
  const path = anyCode(model, random);
  const [kind = '', name] = path;
  const code = codeAt(model, path);
  // The code of these is in files of the shop.
  if (!code || name === undefined || kind === 'middlewares') {
    return undefined;
  }
  // Node loads scripts of the package natively: each edit of one is a restart.
  const isRare = !code.isScript && isPackaged(code);
  return isRare && random.chance(0.8) ? undefined : [[[...path, 'isScript'], !code.isScript]];
}

function shareId(model: Model, random: Random): Edit['set'] | undefined {
  const [name, other] = random.shuffle(Object.keys(model.workflows));
  const steps = model.workflows[other ?? '']?.steps;
  if (name === undefined || other === undefined || !steps) {
    return undefined;
  }
  if (model.workflows[name]?.sharesIdOf === other) {
    return [[['workflows', name, 'sharesIdOf'], null]];
  }
  return [
    [['workflows', name, 'sharesIdOf'], other],
    [['workflows', name, 'steps'], [...steps]],
    ...[name, other].flatMap((each): Edit['set'] => [
      [['workflows', each, 'hasHook'], false],
      [['workflows', each, 'nested'], null],
    ]),
  ];
}

function toggle(
  model: Model,
  random: Random,
  kind: (typeof RECORDS)[number] | 'data',
  names: string[],
  create: (name: string) => Json,
): Edit['set'] {
  const name = random.pick(names);
  const isThere = name in model[kind];
  // One always stays, so that there is something to edit.
  if (isThere && Object.keys(model[kind]).length <= 1) {
    return [];
  }
  return [[[kind, name], isThere ? null : create(name)]];
}

function shopEdit(model: Model, random: Random, restarts: boolean): Edit['set'] {
  const { file } = random.pick(SHOP_EDITS.filter((edit) => (edit.restarts ?? false) === restarts));
  const isBack = model.shop[file] !== undefined && random.chance(0.2);
  return [[['shop', file], isBack ? null : version(random)]];
}

const BREAKAGES: Breakage[] = ['syntax', 'syntax', 'throw', 'import'];

function breakFile(model: Model, random: Random): Edit['set'] | undefined {
  if (Object.keys(model.broken).length > 2) {
    return undefined;
  }
  const { loaded, onDemand, soughtOnDemand } = reachedFiles(model);
  const helpers = Object.keys(model.helpers).map((name) => helperFile(model, name));
  // A script that first looks for a file after its removal rightly finds none.
  const missing = helpers.filter((file) => loaded.has(file) && !soughtOnDemand.has(file));
  if (missing.length > 0 && random.chance(0.15)) {
    return [[['broken', random.pick(missing)], 'missing']];
  }
  const files = [...breakableFiles(model), ...Object.keys(model.data).map(dataFile)].filter(
    (file) => loaded.has(file) || !onDemand.has(file),
  );
  return [[['broken', random.pick(files)], random.pick(BREAKAGES)]];
}

function breakableFiles(model: Model): string[] {
  return [
    ...Object.keys(model.helpers).map((name) => helperFile(model, name)),
    ...Object.keys(model.routes).map((name) => routeFile(model, name)),
    ...Object.keys(model.steps).map((name) => stepFile(model, name)),
    ...Object.keys(model.workflows).map((name) => workflowFile(model, name)),
    ...Object.keys(model.hooks).map((name) => hookFile(model, name)),
    ...Object.keys(model.subscribers).map((name) => subscriberFile(model, name)),
    ...Object.keys(model.jobs).map((name) => jobFile(model, name)),
    BARREL_FILE,
    PACKAGE_BARREL_FILE,
    MIDDLEWARE_FILE,
    SERVICE_FILE,
    PROVIDER_FILE,
    'src/lib/words.ts',
    'src/modules/brand/handle.ts',
    'src/subscribers/brand-created.ts',
    'src/workflows/create-brand/steps/create-brand.ts',
  ];
}

function existing(record: Record<string, unknown>, random: Random): string | undefined {
  const names = Object.keys(record);
  return names.length > 0 ? random.pick(names) : undefined;
}

function code(random: Random): { version: number; via: Via; isScript: boolean } {
  return { version: version(random), via: random.pick(VIAS), isScript: random.chance(0.1) };
}

function version(random: Random): number {
  return 2 + random.below(99_998);
}

function matcher(random: Random): { matcher: string; methods: string[] | null } {
  return {
    matcher: random.pick(['/oracle/*', '/oracle/r1', '/oracle/r2', '/admin/oracle/*', '/ping']),
    methods: random.pick([null, ['GET'], ['POST']]),
  };
}

function events(random: Random): string[] {
  return random.shuffle(EVENTS).slice(0, 1 + random.below(2));
}
