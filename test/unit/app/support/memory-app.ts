import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { DeferredEvaluation } from '../../../../src/app/reload/deferred-evaluation.ts';
import { HotRegistry } from '../../../../src/app/reload/hot-registry.ts';
import { ReloadPass } from '../../../../src/app/reload/reload-pass.ts';
import type { ResourceReloader } from '../../../../src/app/reloaders/resource-reloader.ts';
import { ProjectRunner } from '../../../../src/app/runner/project-runner.ts';
import { FileConfigs, SKIP_FILE } from '../../../../src/medusa/boot/file-config.ts';
import type { MedusaPackages } from '../../../../src/medusa/packages.ts';
import type { Registry } from '../../../../src/medusa/workflows/registry.ts';
import type { ReloadOutcome, ReloadPlan } from '../../../../src/protocol/messages.ts';
import type { CheckedRule } from '../../../../src/rules/rule-set.ts';
import { relativeToRoot } from '../../../../src/shared/paths.ts';
import { REPOSITORY } from '../../../e2e/support/repository.ts';
import { type Files, MemoryHost } from './memory-host.ts';

export type Exports = Record<PropertyKey, unknown>;

/** Does not exist; packages that a source imports are found from the folder above. */
export const ROOT: string = `${REPOSITORY}/a project in memory`;

/** A reloader that may see what Medusa's loaders import. */
export interface DecoratingReloader extends ResourceReloader {
  decorate?(file: string, exports: Exports): Exports;
}

export interface MemoryAppOptions {
  reloaders?: DecoratingReloader[];
  registries?: Registry[];
  rules?: CheckedRule[];
}

export interface SaveOptions {
  deleted?: string[];
  isForced?: boolean;
  /** Changes the plan of the host. */
  plan?(plan: ReloadPlan): ReloadPlan;
}

/** The values that sources pass to `log('…')`, which they call without an import. */
export const lines: string[] = [];
/** Paths of modules whose top level has run to its end. */
const evaluated: string[] = [];

/**
 * Project files that are strings, and the app's own runner, registries and reload on them: no files, no
 * processes, no Medusa. Sources may call `log('…')` and `defineFileConfig({ … })`.
 */
export async function project(files: Files, options: MemoryAppOptions = {}): Promise<MemoryApp> {
  const app = new MemoryApp(options);
  await app.host.write(files);
  return app;
}

export const MAIN = 'src/main.ts';

/** A project of `src/main.ts`, which is loaded and which a reloader evaluates anew, and of its imports. */
export async function mainProject(files: Files): Promise<MemoryApp> {
  const app = await project(files, {
    rules: [{ name: 'main', match: MAIN, action: 'main' }],
    reloaders: [{ name: 'main', prepare: async () => ({ resources: [], commit() {} }) }],
  });
  await app.load(MAIN);
  app.takeEvaluated();
  takeLines();
  return app;
}

beforeEach(() => {
  Object.assign(globalThis, {
    log: (...words: unknown[]) => lines.push(words.map(String).join(' ')),
    defineFileConfig: fileConfigExports.defineFileConfig,
    [Symbol.for('evaluated')]: (path: string) => evaluated.push(path),
  });
});

afterEach(() => {
  lines.splice(0);
  evaluated.splice(0);
});

/** The one file of the project's Medusa that is light enough to load. */
const fileConfigExports = createRequire(import.meta.url)(
  join(REPOSITORY, 'node_modules/@medusajs/utils/dist/common/define-file-config.js'),
) as Exports;

export class MemoryApp {
  readonly host: MemoryHost;
  readonly runner: ProjectRunner;
  readonly hot: HotRegistry;
  readonly deferred: DeferredEvaluation;
  readonly fileConfigs: FileConfigs;
  /** Errors that changed nothing. */
  readonly errors: unknown[] = [];
  /** Modules that called `hot.invalidate`. */
  readonly invalidated: string[] = [];
  readonly accepts: [path: string, dependencies: string[]][] = [];
  readonly #pass: ReloadPass;
  readonly #reloaders: DecoratingReloader[];

  constructor({ reloaders = [], registries = [], rules }: MemoryAppOptions) {
    this.#reloaders = reloaders;
    this.host = new MemoryHost(ROOT, rules);
    const onError = (error: unknown) => void this.errors.push(error);
    this.hot = new HotRegistry({
      resolve: (specifier, importer) => {
        const reply = this.host.channel.request({ type: 'resolve', specifier, importer });
        return reply.type === 'resolved' ? (reply.id ?? undefined) : undefined;
      },
      exportsOf: (id) => this.runner.exportsOf(id),
      onAccepts: (id, dependencies) => {
        this.host.setAccepts(id, dependencies);
        this.accepts.push([this.pathOf(id), dependencies.map((one) => this.pathOf(one))]);
      },
      onInvalidate: (id) => this.invalidated.push(this.pathOf(id)),
      onError,
    });
    this.runner = new ProjectRunner({
      root: ROOT,
      channel: this.host.channel,
      onEdge: (importer, id) => this.host.addEdge(importer, id),
      createHot: (id) => this.hot.create(id),
    });
    this.fileConfigs = new FileConfigs({
      require: () => fileConfigExports,
    } as unknown as MedusaPackages);
    this.deferred = new DeferredEvaluation({
      evaluate: (file) => this.runner.requireFile(file) as Exports,
      onError,
    });
    this.#pass = new ReloadPass({
      runner: this.runner,
      reloaders,
      registries,
      hot: this.hot,
      fileConfigs: this.fileConfigs,
      deferred: this.deferred,
      onError,
    });
  }

  /** Loads a file as Medusa's loaders do: it becomes an entry, and reloaders may decorate it. */
  async load(path: string): Promise<Exports> {
    const file = this.host.fileOf(path);
    this.host.addEntry(file);
    const exports: Exports = { ...(await this.runner.importFile(file)) };
    if (this.fileConfigs.isDisabled(file)) {
      exports[SKIP_FILE] = true;
    }
    return this.#reloaders.reduce(
      (decorated, reloader) => reloader.decorate?.(file, decorated) ?? decorated,
      exports,
    );
  }

  /** Writes the files, and takes the batch to its result as the host does. */
  async save(files: Files, options: SaveOptions = {}): Promise<ReloadOutcome> {
    const { deleted = [], isForced = false, plan = (planned) => planned } = options;
    const planned = await this.host.save(files, deleted, isForced);
    if ('outcome' in planned) {
      return planned.outcome;
    }
    const outcome = await this.run(plan(planned));
    const orphans = this.host.finish(planned, outcome);
    this.runner.prune(orphans);
    await this.hot.prune(orphans);
    return outcome;
  }

  run(plan: ReloadPlan): Promise<ReloadOutcome> {
    return this.#pass.run(plan);
  }

  /** Of the version that serves. */
  exportsOf(path: string): Exports | undefined {
    return this.runner.exportsOf(this.host.fileOf(path));
  }

  /** Paths of modules that were evaluated since the last call. */
  takeEvaluated(): string[] {
    return evaluated.splice(0);
  }

  pathOf(id: string): string {
    return relativeToRoot(ROOT, id);
  }
}

/** The values that sources have logged since the last call. */
export function takeLines(): string[] {
  return lines.splice(0);
}
