import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { createDatabase, type TestDatabase } from '../e2e/support/database.ts';
import type { Project } from '../e2e/support/project.ts';
import { SHOP } from '../e2e/support/repository.ts';
import {
  createProbedProject,
  type FreshKind,
  type HotApp,
  put,
  startFresh,
  startHot,
} from './apps.ts';
import { applyEdit, type Edit, NOISE } from './edits.ts';
import { createModel, type Model } from './model.ts';
import { predict, predictable } from './prediction.ts';
import { differences, type Probe, probe } from './probe.ts';
import { Random } from './random.ts';
import { healthOf } from './reach.ts';
import { render } from './render.ts';

export interface OracleOptions {
  templateDatabaseUrl: string;
  publishableKey: string;
  /** CLI of the product under test. */
  cli: string;
  /** CLI of the product that starts fresh apps. @default `cli` */
  freshCli?: string;
  fresh: FreshKind;
  /** Edits between two comparisons with a fresh app; the predictions are compared after each. */
  freshEvery: number;
  /** How long an update that names a saved file may take. @default a minute */
  settleLimitMs?: number;
  log(line: string): void;
}

/** A wrong answer of the hot app. */
export interface Finding {
  /** How many edits had been made. */
  edits: number;
  against:
    | 'prediction'
    | 'what is said'
    | 'last good state'
    | 'before a comment'
    | 'fresh app'
    | 'settling';
  lines: string[];
  /** The last output of the hot app. */
  output: string;
}

export interface Statistics {
  edits: number;
  results: Record<string, number>;
  freshApps: number;
  /** Number of probes that were right only at a second look. */
  late: number;
}

/** Every changed file appears in an update: at the latest after a restart that boots twice. */
const SETTLE_LIMIT_MS = 60_000;
/** For effects that come after the report of the update, e.g. of two edits that were merged. */
const LATE_WAIT_MS = 3_000;
const LATE_POLL_MS = 150;

/** An update that was ignored for this reason says nothing about the files before it. */
const NOT_LOADED = 'not loaded by the app';
const DATA_MODEL_NOTE = 'npx medusa db:generate';

const original = (file: string): string => readFileSync(join(SHOP, file), 'utf8');

/** Compares the hot app of a project with predictions, and now and then with a fresh app. */
export class Oracle {
  readonly statistics: Statistics = { edits: 0, results: {}, freshApps: 0, late: 0 };
  readonly #options: OracleOptions;
  readonly #databases: TestDatabase[];
  readonly #hot: HotApp;
  readonly #projects: { hot: Project; fresh: Project };
  #model: Model;
  #files: Map<string, string>;
  #freshFiles: Map<string, string>;
  /** The answers that must stay while files are broken; unset if several answers are right. */
  #lastGood: Probe | undefined;
  #mark = 0;
  /** The files before the unsettled edits. */
  #filesBefore: Map<string, string>;
  /** The length of the app's output before the unsettled edits. */
  #printedBefore = 0;
  #unsettled = new Set<string>();
  #sinceFresh = 0;
  #comparison: Promise<Finding | undefined> = Promise.resolve(undefined);

  static async start(options: OracleOptions): Promise<Oracle> {
    const model = createModel(options.fresh !== 'stock');
    const files = render(model, original);
    const databases = await Promise.all(
      [0, 1].map(() => createDatabase(options.templateDatabaseUrl)),
    );
    const projects = { hot: createProbedProject(files), fresh: createProbedProject(files) };
    const hot = await startHot(projects.hot, {
      ...options,
      databaseUrl: databases[0]?.url ?? '',
    });
    const oracle = new Oracle(options, { databases, projects, hot, model, files });
    oracle.#lastGood = await probe(hot);
    return oracle;
  }

  private constructor(
    options: OracleOptions,
    {
      databases,
      projects,
      hot,
      model,
      files,
    }: {
      databases: TestDatabase[];
      projects: { hot: Project; fresh: Project };
      hot: HotApp;
      model: Model;
      files: Map<string, string>;
    },
  ) {
    this.#options = options;
    this.#databases = databases;
    this.#projects = projects;
    this.#hot = hot;
    this.#model = model;
    this.#files = files;
    this.#filesBefore = files;
    this.#freshFiles = files;
  }

  get model(): Model {
    return this.#model;
  }

  /** Makes an edit, and checks how the app takes it. */
  async step(edit: Edit): Promise<Finding | undefined> {
    const before = this.#lastGood;
    const wasGood = healthOf(this.#model) === 'good';
    this.statistics.edits++;
    this.#sinceFresh++;
    const written = await this.#write(edit);
    if (edit.isHasty) {
      this.#lastGood = undefined;
      return undefined;
    }
    const wasHasty = this.#unsettled.size > written;
    const hasNewDataModel = [...this.#unsettled].some((file) => file.includes('/models/'));
    const unsettled = await this.#settle();
    if (unsettled) {
      return unsettled;
    }
    const health = healthOf(this.#model);
    if (health === 'unspecified') {
      this.#lastGood = undefined;
      return undefined;
    }
    if (health === 'good') {
      const expected = predict(this.#model);
      const { answers, lines } = await this.#probeUntil((found) =>
        differences(expected, predictable(found)),
      );
      const complaint = lines.length > 0 ? undefined : await this.#complaint(hasNewDataModel);
      if (complaint) {
        return this.#finding('what is said', [complaint]);
      }
      if (lines.length > 0) {
        const finding = this.#finding('prediction', lines);
        return { ...finding, lines: [...lines, '', ...(await this.#secondOpinion(expected))] };
      }
      this.#lastGood = answers;
      if (edit.kind === NOISE && wasGood && before) {
        const changed = differences(before, answers);
        if (changed.length > 0) {
          return this.#finding('before a comment', changed);
        }
      }
      return this.#sinceFresh >= this.#options.freshEvery ? this.compareWithFresh() : undefined;
    }
    if (before === undefined || wasHasty || written > 1) {
      // The app may have taken over some of the files before the broken one was seen.
      this.#lastGood = await probe(this.#hot);
      return undefined;
    }
    const { lines } = await this.#probeUntil((found) => differences(before, found));
    return lines.length > 0 ? this.#finding('last good state', lines) : undefined;
  }

  /** Starts the comparison with a fresh app. @returns the result of the comparison before */
  async compareWithFresh(): Promise<Finding | undefined> {
    const finding = await this.#comparison;
    if (finding || healthOf(this.#model) !== 'good') {
      return finding;
    }
    this.#sinceFresh = 0;
    const edits = this.statistics.edits;
    const answers = await probe(this.#hot, { full: true });
    this.#writeFresh();
    this.#comparison = this.#compare(answers).then((lines) => {
      return lines.length > 0 ? { ...this.#finding('fresh app', lines), edits } : undefined;
    });
    // The next comparison awaits this one; until then, nothing handles a rejection.
    this.#comparison.catch(() => {});
    return undefined;
  }

  /** The result of the last comparison. */
  async finish(): Promise<Finding | undefined> {
    return this.#comparison;
  }

  async stop(): Promise<void> {
    await this.#comparison.catch(() => {});
    await this.#hot.stop().catch((error: unknown) => this.#options.log(String(error)));
    this.#projects.hot.dispose();
    this.#projects.fresh.dispose();
    await Promise.all(this.#databases.map((database) => database.drop()));
  }

  async #write(edit: Edit): Promise<number> {
    if (this.#unsettled.size === 0) {
      this.#mark = this.#hot.dev.mark();
      this.#filesBefore = this.#files;
      this.#printedBefore = this.#hot.dev.output().length;
    }
    this.#model = applyEdit(this.#model, edit);
    const next = render(this.#model, original);
    const changes = new Random(edit.order).shuffle(changesBetween(this.#files, next));
    this.#files = next;
    for (const [index, [file, source]] of changes.entries()) {
      put(this.#projects.hot, file, source);
      this.#unsettled.add(file);
      if (edit.pauseMs > 0 && index < changes.length - 1) {
        await delay(edit.pauseMs);
      }
    }
    return changes.length;
  }

  async #settle(): Promise<Finding | undefined> {
    const deadline = Date.now() + (this.#options.settleLimitMs ?? SETTLE_LIMIT_MS);
    const { dev } = this.#hot;
    for (;;) {
      const updates = dev.updatesSince(this.#mark);
      const named = new Set(updates.flatMap(({ files }) => files));
      const missing = [...this.#unsettled].filter(
        (file) => !named.has(this.#nameOf(file)) && !this.#cameAndWent(file),
      );
      if (missing.length === 0) {
        for (const { result } of updates) {
          this.statistics.results[result] = (this.statistics.results[result] ?? 0) + 1;
        }
        this.#unsettled.clear();
        return undefined;
      }
      if (Date.now() > deadline || dev.hasEnded) {
        const lines = missing.map((file) => `\`${file}\` was saved, and no update named it`);
        return this.#finding('settling', dev.hasEnded ? ['the dev server ended'] : lines);
      }
      await delay(5);
    }
  }

  /** Whether a file came and went, perhaps before a watcher saw it. */
  #cameAndWent(file: string): boolean {
    return !this.#filesBefore.has(file) && !this.#files.has(file);
  }

  /** The name of a file in updates: outside of the project, its absolute path. */
  #nameOf(file: string): string {
    return file.startsWith('../') ? join(this.#projects.hot.root, file) : file;
  }

  async #probeUntil(
    compare: (answers: Probe) => string[],
  ): Promise<{ answers: Probe; lines: string[] }> {
    const deadline = Date.now() + LATE_WAIT_MS;
    for (let isLate = false; ; isLate = true) {
      const answers = await probe(this.#hot);
      const lines = compare(answers);
      if (lines.length === 0 || Date.now() > deadline) {
        this.statistics.late += isLate && lines.length === 0 ? 1 : 0;
        return { answers, lines };
      }
      await delay(LATE_POLL_MS);
    }
  }

  /** Checks the output for good files: no error, and a note for a new data model. */
  async #complaint(hasNewDataModel: boolean): Promise<string | undefined> {
    const { dev } = this.#hot;
    const deadline = Date.now() + LATE_WAIT_MS;
    for (;;) {
      const last = dev
        .updatesSince(0)
        .findLast((update) => update.result !== 'ignored' || update.reason !== NOT_LOADED);
      const hasNote = dev.output().slice(this.#printedBefore).includes(DATA_MODEL_NOTE);
      const complaint =
        last?.result === 'kept-previous'
          ? `files are good, and it says: ${inspect(last.error)}`
          : hasNewDataModel && !hasNote
            ? `a data model changed, and nothing was said of \`${DATA_MODEL_NOTE}\``
            : undefined;
      if (complaint === undefined || Date.now() > deadline) {
        return complaint;
      }
      await delay(LATE_POLL_MS);
    }
  }

  /** Asks a fresh app whether a prediction is right: a wrong one is a fault of this test. */
  async #secondOpinion(expected: Record<string, unknown>): Promise<string[]> {
    await this.#comparison;
    this.#writeFresh();
    const result = await this.#probeFresh();
    if ('error' in result) {
      return [result.error];
    }
    const lines = differences(expected, predictable(result.answers));
    return lines.length === 0
      ? ['A fresh app answers as expected.']
      : ['A FRESH APP DOES NOT ANSWER AS EXPECTED EITHER:', ...lines];
  }

  #writeFresh(): void {
    for (const [file, source] of changesBetween(this.#freshFiles, this.#files)) {
      put(this.#projects.fresh, file, source);
    }
    this.#freshFiles = this.#files;
  }

  async #compare(answers: Probe): Promise<string[]> {
    const result = await this.#probeFresh();
    return 'error' in result ? [result.error] : differences(result.answers, answers);
  }

  async #probeFresh(): Promise<{ answers: Probe } | { error: string }> {
    const { fresh: kind, publishableKey, cli, freshCli = cli } = this.#options;
    const databaseUrl = this.#databases[1]?.url ?? '';
    try {
      const fresh = await startFresh(kind, this.#projects.fresh, {
        databaseUrl,
        publishableKey,
        cli: freshCli,
      });
      this.statistics.freshApps++;
      try {
        return { answers: await probe(fresh, { full: true }) };
      } finally {
        await fresh.stop();
      }
    } catch (error) {
      return { error: `A fresh app does not start: ${error}` };
    }
  }

  #finding(against: Finding['against'], lines: string[]): Finding {
    const { dev } = this.#hot;
    const printed = dev
      .output()
      .split('\n')
      .filter((line) => !line.startsWith('http: '));
    const updates = dev
      .updatesSince(0)
      .slice(-6)
      .map((event) => JSON.stringify(event));
    const output = [...updates, ...printed.slice(-20)].join('\n');
    return { edits: this.statistics.edits, against, lines, output };
  }
}

function changesBetween(
  before: Map<string, string>,
  after: Map<string, string>,
): [file: string, source: string | undefined][] {
  const files = new Set([...before.keys(), ...after.keys()]);
  return [...files]
    .filter((file) => before.get(file) !== after.get(file))
    .sort()
    .map((file) => [file, after.get(file)]);
}
