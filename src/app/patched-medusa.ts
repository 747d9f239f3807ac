import { replaceAdminBundler } from '../medusa/boot/admin-bundler.ts';
import { MedusaBoot } from '../medusa/boot/boot.ts';
import { readConfig } from '../medusa/boot/config.ts';
import { readDotEnv } from '../medusa/boot/dot-env.ts';
import { replaceDynamicImport } from '../medusa/boot/dynamic-import.ts';
import { FileConfigs } from '../medusa/boot/file-config.ts';
import { FlagState } from '../medusa/boot/flag-state.ts';
import { ScheduledJobs } from '../medusa/events/scheduled-jobs.ts';
import { Subscriptions } from '../medusa/events/subscriptions.ts';
import { ApiRouter } from '../medusa/http/api-router.ts';
import { Sessions } from '../medusa/http/sessions.ts';
import { JoinerConfigs } from '../medusa/modules/joiner-configs.ts';
import { MedusaPackages } from '../medusa/packages.ts';
import { skipUnseenDebugLines } from '../medusa/speed/debug-lines.ts';
import { rememberFolderListings } from '../medusa/speed/folder-listings.ts';
import { rememberPathPatterns } from '../medusa/speed/path-patterns.ts';
import { SchemaAhead } from '../medusa/speed/schema-ahead.ts';
import { nameCoreFlows } from '../medusa/workflows/core-flows.ts';
import { HookRegistry } from '../medusa/workflows/hook-registry.ts';
import type { Registry } from '../medusa/workflows/registry.ts';
import { RunningWorkflows } from '../medusa/workflows/running-workflows.ts';
import { loadsIndexFiles } from '../medusa/workflows/workflow-loader.ts';
import { WorkflowRegistry } from '../medusa/workflows/workflow-registry.ts';
import { WorkflowStore } from '../medusa/workflows/workflow-store.ts';
import type { AppOptions, AppToHost, ReloaderModule } from '../protocol/messages.ts';
import { serializeError } from '../shared/serialized-error.ts';
import type { AppPort } from './port/app-port.ts';
import type { ProjectCode } from './project-code.ts';
import { DeferredEvaluation } from './reload/deferred-evaluation.ts';
import { ReloadPass } from './reload/reload-pass.ts';
import { Reloads } from './reload/reloads.ts';
import { AuthorsReloader } from './reloaders/authors-reloader.ts';
import { JobsReloader } from './reloaders/jobs.ts';
import { ModulesReloader } from './reloaders/modules.ts';
import type { ReloaderApp } from './reloaders/public-reloader.ts';
import type { ResourceReloader } from './reloaders/resource-reloader.ts';
import { RoutesReloader } from './reloaders/routes.ts';
import { SubscribersReloader } from './reloaders/subscribers.ts';
import { WorkflowsReloader } from './reloaders/workflows.ts';
import { hookNativeRequire } from './runner/native/require-hook.ts';
import type { PackageTrace } from './spare/package-trace.ts';
import type { Spare, UnbootedMedusa } from './spare/spare.ts';

export interface LoadMedusaOptions extends Pick<AppOptions, 'root' | 'port' | 'host'> {
  code: ProjectCode;
  appPort: AppPort;
  /** Set in a spare. */
  spare: Pick<Spare, 'assertActivated' | 'note' | 'unnoted'> | undefined;
  trace: PackageTrace;
  send(message: AppToHost): void;
  /** For an error that changes nothing for the app. */
  onError(error: unknown): void;
}

/**
 * Loads Medusa, and nothing of the project. From here on, Node and Medusa get the project's files from the runner.
 * @throws MedusaViteError if Medusa is missing, or is not what this package expects
 */
export function loadMedusa(options: LoadMedusaOptions): PatchedMedusa {
  const { root, code, spare, trace } = options;
  process.chdir(root);
  const packages = new MedusaPackages(root);
  hookNativeRequire({
    root,
    requireFile: (file) => {
      spare?.assertActivated(file);
      return trace.insideProject(() => code.requireEntry(file));
    },
    onNative: (file) => code.loaded.native(file),
    load: (file, load) => {
      spare?.note(file);
      trace.insidePackage(load);
    },
  });
  if (spare) {
    // It reads `.env` again when it is activated.
    spare.unnoted(() => readDotEnv(packages));
  } else {
    readDotEnv(packages);
  }
  return new PatchedMedusa(packages, options);
}

/**
 * The Medusa of this process. Its loaders get the project's files from the runner, its registries can be reloaded,
 * and its server has the connections of the host; the rest is as it was installed.
 */
export class PatchedMedusa implements UnbootedMedusa {
  readonly flags: FlagState;
  readonly schema: SchemaAhead;
  readonly sessions: Sessions;
  readonly #packages: MedusaPackages;
  readonly #options: LoadMedusaOptions;
  readonly #boot: MedusaBoot;
  readonly #jobs: ScheduledJobs;
  readonly #fileConfigs: FileConfigs;
  readonly #registries: Registry[];
  /** In the order in which they run. */
  readonly #reloaders: ResourceReloader[];

  /** Medusa must not have loaded any file of the project yet: what it has stored cannot be replaced. */
  constructor(packages: MedusaPackages, options: LoadMedusaOptions) {
    const { root, port, code, appPort } = options;
    this.#packages = packages;
    this.#options = options;
    rememberPathPatterns(packages);
    skipUnseenDebugLines(packages);
    rememberFolderListings(packages);

    const owner = () => code.runner.evaluating;
    const store = new WorkflowStore(packages);
    const running = new RunningWorkflows(packages, store);
    const workflows = new WorkflowRegistry(packages, store, owner);
    const hooks = new HookRegistry({
      packages,
      owner,
      handlersOf: (id) => workflows.handlersOf(id),
      beforeChange: (id) => running.preserve(id),
    });
    this.#registries = [workflows, hooks];

    this.#boot = new MedusaBoot(packages);
    this.sessions = new Sessions(packages);
    replaceAdminBundler(packages, (request) => appPort.admin.open(request));
    const container = () => this.#boot.container;
    this.#jobs = new ScheduledJobs(packages, workflows, container);
    this.schema = new SchemaAhead(packages);
    this.flags = new FlagState(packages);

    const fileConfigs = new FileConfigs(packages);
    const modules = new ModulesReloader(root, new JoinerConfigs(packages, container));
    const routes = new RoutesReloader(root, new ApiRouter(packages));
    const subscribers = new SubscribersReloader(root, new Subscriptions(packages, container));
    const jobs = new JobsReloader(root, this.#jobs);
    this.#fileConfigs = fileConfigs;
    this.#reloaders = [
      modules,
      new WorkflowsReloader({
        registry: workflows,
        fileConfigs,
        loadsIndexFiles: loadsIndexFiles(packages),
      }),
      routes,
      subscribers,
      jobs,
    ];

    const decorators = [modules, routes, subscribers, jobs];
    replaceDynamicImport(packages, {
      root,
      fileConfigs,
      importFile: (file) => code.importEntry(file),
      decorate: (file, exports) =>
        decorators.reduce((decorated, reloader) => reloader.decorate(file, decorated), exports),
    });
    appPort.intercept(port);
  }

  readDotEnv(): void {
    readDotEnv(this.#packages);
  }

  nameCoreFlows(): Promise<void> {
    return nameCoreFlows(this.#packages);
  }

  /** Evaluates `medusa-config`. */
  readConfig(): Promise<unknown> {
    return readConfig(this.#packages, this.#options.root);
  }

  /** @param modules reloaders of users and plugin authors */
  createReloads(modules: ReloaderModule[]): Reloads {
    const { code, onError } = this.#options;
    const authors = modules.map((module) => this.#createAuthorsReloader(module));
    const pass = new ReloadPass({
      runner: code.runner,
      reloaders: [...this.#reloaders, ...authors],
      registries: this.#registries,
      hot: code.hot,
      fileConfigs: this.#fileConfigs,
      onError,
      deferred: new DeferredEvaluation({
        evaluate: (file) => code.runner.requireFile(file) as Record<string, unknown>,
        onError,
      }),
    });
    return new Reloads(pass, authors);
  }

  async start(): Promise<void> {
    await this.#boot.start(this.#options);
    this.#jobs.guardTimers();
  }

  writeTypes(): Promise<void> {
    return this.#boot.writeTypes(this.#options.root);
  }

  stop(): Promise<void> {
    return this.#boot.stop();
  }

  #createAuthorsReloader(module: ReloaderModule): AuthorsReloader {
    const { root, code, send, onError } = this.#options;
    return new AuthorsReloader({
      root,
      module,
      load: () => {
        code.loaded.entry(module.specifier);
        return code.runner.cachedRequest(module.specifier, module.specifier);
      },
      app: this.#boot as unknown as Pick<ReloaderApp, 'container' | 'express'>,
      importFile: (file) => code.runner.importFile(file),
      onEntry: (file) => code.loaded.entry(file),
      onFailure: (error) => send({ type: 'warning', error: serializeError(error) }),
      onError,
    });
  }
}
