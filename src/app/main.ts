// First, because of what the others read while they are loaded.
import './runner/compile-cache.ts';
import './spare/environment-record.ts';

import inspector from 'node:inspector';
import { replaceAdminBundler } from '../medusa/boot/admin-bundler.ts';
import { resolveAdminPath } from '../medusa/boot/admin-path.ts';
import { loadDotEnv, MedusaBoot } from '../medusa/boot/boot.ts';
import { readConfig } from '../medusa/boot/config.ts';
import { replaceDynamicImport } from '../medusa/boot/dynamic-import.ts';
import { resolveBackendHmr, switchOffStockHmr } from '../medusa/boot/feature-flag.ts';
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
import { RunningWorkflows } from '../medusa/workflows/running-workflows.ts';
import { loadsIndexFiles } from '../medusa/workflows/workflow-loader.ts';
import { WorkflowRegistry } from '../medusa/workflows/workflow-registry.ts';
import { WorkflowStore } from '../medusa/workflows/workflow-store.ts';
import { CHANNEL_FD } from '../protocol/channel.ts';
import type { PackageList, PreparedApp, ReloadOutcome, Trial } from '../protocol/messages.ts';
import { assertDatabaseReachable } from '../shared/database-check.ts';
import { serializeError } from '../shared/serialized-error.ts';
import { options } from './link/app-options.ts';
import { onHostMessage, sendToHost } from './link/host-link.ts';
import { tieToHost } from './link/host-tie.ts';
import { LoadedReporter } from './link/loaded-report.ts';
import { AdminForward } from './port/admin-forward.ts';
import { interceptListen } from './port/connections.ts';
import { RequestGate } from './port/request-gate.ts';
import { DeferredEvaluation } from './reload/deferred-evaluation.ts';
import { HotRegistry } from './reload/hot-registry.ts';
import { ReloadPass } from './reload/reload-pass.ts';
import { AuthorsReloader } from './reloaders/authors-reloader.ts';
import { JobsReloader } from './reloaders/jobs.ts';
import { ModulesReloader } from './reloaders/modules.ts';
import type { ReloaderApp } from './reloaders/public-reloader.ts';
import { RoutesReloader } from './reloaders/routes.ts';
import { SubscribersReloader } from './reloaders/subscribers.ts';
import { WorkflowsReloader } from './reloaders/workflows.ts';
import { ModuleChannel } from './runner/module-channel.ts';
import { hookNativeRequire } from './runner/native-files.ts';
import { ProjectRunner } from './runner/project-runner.ts';
import { StackTraces } from './runner/stack-traces.ts';
import { BootRecord } from './spare/boot-record.ts';
import { environmentRecord } from './spare/environment-record.ts';
import { Pace } from './spare/pace.ts';
import { Spare, UnfitError } from './spare/spare.ts';

/** How long requests in flight may take before a stop goes on without them; the host kills at 5 s. */
const DRAIN_LIMIT_MS = 4_000;

/** Medusa writes types in one go, for a second or more; whoever has waited for the app comes first. */
const TYPES_DELAY_MS = 2_000;

const SIGTERM_EXIT_CODE = 143;

const { root, port, host } = options;

const paceBuffer = new SharedArrayBuffer(4);
tieToHost({
  end: (cause) => void stop(cause === 'SIGTERM' ? SIGTERM_EXIT_CODE : 0),
  reportStray,
  pace: paceBuffer,
});

const loaded = new LoadedReporter();
const channel = new ModuleChannel(CHANNEL_FD);
const hot: HotRegistry = new HotRegistry({
  resolve: (specifier, importer) => {
    const reply = channel.request({ type: 'resolve', specifier, importer });
    return reply.type === 'resolved' ? (reply.id ?? undefined) : undefined;
  },
  exportsOf: (id) => runner.exportsOf(id),
  onAccepts: (id, dependencies) => loaded.accepts(id, dependencies),
  onInvalidate: (id) => void sendToHost({ type: 'invalidate', id }),
  onError: reportStray,
});
const runner: ProjectRunner = new ProjectRunner({
  root,
  channel,
  onEdge: (importer, id) => loaded.edge(importer, id),
  onNative: (file) => loaded.native(file),
  createHot: (id) => hot.create(id),
});
const stackTraces = new StackTraces((file) => runner.codeOf(file));
stackTraces.install();

const gate = new RequestGate();
const admin = new AdminForward((message) => void sendToHost(message));
const record = new BootRecord();
let spare: Spare | undefined;
let flags: FlagState | undefined;
let schema: SchemaAhead | undefined;
let boot: MedusaBoot | undefined;
let pass: ReloadPass | undefined;
let sessions: Sessions | undefined;
let scheduledJobs: ScheduledJobs | undefined;
let authorsReloaders: AuthorsReloader[] = [];
let isInspectorReported = false;
let isStopping = false;
let connections: ReturnType<typeof interceptListen> | undefined;

let resolvePackages: (packages: PackageList | null) => void = () => {};
const packageList = new Promise<PackageList | null>((resolve) => {
  resolvePackages = resolve;
});

onHostMessage({
  start: (message) => {
    sessions?.take(message.sessions);
    void start();
  },
  'hmr-reload': ({ id, plan }) => {
    reportInspector();
    void reload(id, plan);
  },
  shutdown: () => {
    reportInspector();
    void stop();
  },
  prune: ({ ids }) => {
    runner.prune(ids);
    void hot.prune(ids);
  },
  retrace: ({ modules }) => {
    for (const module of modules) {
      stackTraces.retrace(module);
    }
  },
  hold: () => gate.hold(),
  release: () => gate.release(),
  admin: ({ state }) => admin.update(state),
  ping: ({ id }) => {
    reportInspector();
    void sendToHost({ type: 'pong', id });
  },
  preload: ({ packages }) => resolvePackages(packages),
  anticipate: () => spare?.anticipate(),
  activate: ({ env, reloaders }) => {
    options.reloaders = reloaders;
    spare?.activate(env);
  },
  'list-packages': () => {
    const packages = record.packages && { ...record.packages, schema: schema?.text };
    void sendToHost({ type: 'packages', packages });
  },
});

// As by VS Code, which debugs what is started in its terminal.
reportInspector();
try {
  await sendToHost({ type: 'prepared', app: await prepare() });
} catch (error) {
  await fail(error);
}

/** Everything that can be done while the previous child still serves: load Medusa, evaluate the config. */
async function prepare(): Promise<PreparedApp> {
  process.chdir(root);
  const packages = new MedusaPackages(root);
  if (environmentRecord) {
    spare = new Spare({
      root,
      environment: environmentRecord,
      pace: new Pace(paceBuffer),
      makeSchema: (text) => schema?.make(text),
      loadDotEnv: () => loadDotEnv(packages),
    });
  }
  hookIntoNode();
  environmentRecord?.begin(undefined);
  loadDotEnv(packages);
  environmentRecord?.begin('medusa');
  const createPass = hookIntoMedusa(packages);
  if (spare) {
    environmentRecord?.begin(undefined);
    const list = await packageList;
    if (list && flags) {
      await spare.preload(list, flags);
      await nameCoreFlows(packages);
    }
    await sendToHost({ type: 'preloaded', files: spare.preloadedFiles });
    await spare.becomeApp();
  }
  pass = createPass();
  record.begin();
  const config = await readConfig(packages, root);
  const databaseUrl = MedusaBoot.databaseUrlOf(config);
  if (databaseUrl) {
    await assertDatabaseReachable(databaseUrl);
  }
  const backendHmr = resolveBackendHmr(config);
  switchOffStockHmr(config);
  record.endConfig();
  spare?.assertConfigured();
  if (options.trial) {
    await flags?.set(root, config);
    await tryOut(options.trial);
  }
  loaded.flush();
  return { backendHmr, adminPath: resolveAdminPath(config) };
}

/** @throws just the error that the trial is about */
async function tryOut({ module, message }: Trial): Promise<void> {
  try {
    await runner.importFile(module);
  } catch (error) {
    // Any other may be for want of what comes later in a boot.
    if (firstLine(serializeError(error).message) === firstLine(message)) {
      throw error;
    }
  }
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

function hookIntoNode(): void {
  hookNativeRequire({
    root,
    requireFile: (file) => {
      spare?.assertActivated(file);
      loaded.entry(file);
      return record.trace.insideProject(() => runner.requireFile(file));
    },
    onNative: (file) => loaded.native(file),
    load: (file, load) => {
      spare?.note(file);
      record.trace.insidePackage(load);
    },
  });
}

/** @returns how to make the reload pass, once it is known which reloaders there are */
function hookIntoMedusa(packages: MedusaPackages): () => ReloadPass {
  rememberPathPatterns(packages);
  skipUnseenDebugLines(packages);
  rememberFolderListings(packages);
  const fileConfigs = new FileConfigs(packages);
  const owner = () => runner.evaluating;
  const store = new WorkflowStore(packages);
  const running = new RunningWorkflows(packages, store);
  const workflows = new WorkflowRegistry(packages, store, owner);
  const hooks = new HookRegistry({
    packages,
    owner,
    handlersOf: (id) => workflows.handlersOf(id),
    beforeChange: (id) => running.preserve(id),
  });
  const medusa = new MedusaBoot(packages);
  boot = medusa;
  sessions = new Sessions(packages);
  replaceAdminBundler(packages, (request) => admin.open(request));
  const container = () => medusa.container;
  scheduledJobs = new ScheduledJobs(packages, workflows, container);
  schema = new SchemaAhead(packages);
  const modules = new ModulesReloader(root, new JoinerConfigs(packages, container));
  const routes = new RoutesReloader(root, new ApiRouter(packages));
  const subscribers = new SubscribersReloader(root, new Subscriptions(packages, container));
  const jobs = new JobsReloader(root, scheduledJobs);
  const decorators = [modules, routes, subscribers, jobs];
  replaceDynamicImport(packages, root, fileConfigs, {
    importFile: (file) => {
      loaded.entry(file);
      return runner.importFile(file);
    },
    decorate: (file, exports) =>
      decorators.reduce((decorated, reloader) => reloader.decorate(file, decorated), exports),
  });
  connections = interceptListen({ port, onServer: (server) => gate.attach(server) });
  flags = new FlagState(packages);
  const builtIn = [
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
  return () => {
    authorsReloaders = createAuthorsReloaders(medusa);
    return new ReloadPass({
      runner,
      reloaders: [...builtIn, ...authorsReloaders],
      registries: [workflows, hooks],
      hot,
      fileConfigs,
      onError: reportStray,
      deferred: new DeferredEvaluation({
        evaluate: (file) => runner.requireFile(file) as Record<string, unknown>,
        onError: reportStray,
      }),
    });
  };
}

function reportInspector(): void {
  if (!isInspectorReported && inspector.url() !== undefined) {
    isInspectorReported = true;
    void sendToHost({ type: 'debugged' });
  }
}

async function start(): Promise<void> {
  if (options.inspect) {
    inspector.open(options.inspect.port, options.inspect.host, options.inspect.wait);
  }
  try {
    await boot?.start({ root, port, host });
    scheduledJobs?.guardTimers();
    assertLikeNew();
    for (const reloader of authorsReloaders) {
      await reloader.start();
    }
    admin.settle();
    loaded.flush();
    await sendToHost({ type: 'ready' });
  } catch (error) {
    await fail(error);
    return;
  }
  if (options.types) {
    setTimeout(() => void writeTypes(), TYPES_DELAY_MS).unref();
  }
}

async function writeTypes(): Promise<void> {
  if (isStopping) {
    return;
  }
  // It blocks the event loop, on a slow machine for seconds; the host must not take that for an endless loop.
  await sendToHost({ type: 'busy', isBusy: true });
  try {
    await boot?.writeTypes(root);
  } catch (error) {
    process.stderr.write(`medusa-vite: types were not written: ${serializeError(error).message}\n`);
  }
  await sendToHost({ type: 'busy', isBusy: false });
}

function createAuthorsReloaders(medusa: MedusaBoot): AuthorsReloader[] {
  return options.reloaders.map(
    (module) =>
      new AuthorsReloader({
        root,
        module,
        load: () => {
          loaded.entry(module.specifier);
          return runner.cachedRequest(module.specifier, module.specifier);
        },
        app: {
          get container() {
            return medusa.container as ReloaderApp['container'];
          },
          get express() {
            return medusa.expressApp as ReloaderApp['express'];
          },
        },
        importFile: (file) => runner.importFile(file),
        onEntry: (file) => loaded.entry(file),
        onFailure: (error) => void sendToHost({ type: 'warning', error: serializeError(error) }),
        onError: reportStray,
      }),
  );
}

async function reload(id: number, plan: Parameters<ReloadPass['run']>[0]): Promise<void> {
  const outcome = await (
    pass?.run(plan) ?? Promise.reject(new Error('the app was not ready'))
  ).catch((error: unknown): ReloadOutcome => {
    const { message } = serializeError(error);
    return { type: 'restart-needed', reason: { type: 'reload-failed', message } };
  });
  loaded.flush();
  await sendToHost({ type: 'hmr-result', id, outcome });
}

/** @throws UnfitError if this was a spare, and a new process would have come to something else. */
function assertLikeNew(): void {
  if (!flags) {
    return;
  }
  const asked = record.end(flags);
  if (spare && spare.preloadedFiles > 0 && record.areLoaderHooksChanged) {
    throw new UnfitError('the project hooks into the loading of packages');
  }
  spare?.assertBooted(asked);
}

async function fail(error: unknown): Promise<void> {
  if (error instanceof UnfitError || (spare && !spare.isActivated)) {
    await sendToHost({ type: 'unfit', reason: serializeError(error).message });
  } else {
    await sendToHost({ type: 'boot-failed', error: serializeError(error) });
  }
  process.exit(1);
}

async function stop(exitCode = 0): Promise<void> {
  if (isStopping) {
    return;
  }
  isStopping = true;
  try {
    gate.release();
    await connections?.drain(DRAIN_LIMIT_MS);
    await sendToHost({ type: 'sessions', sessions: sessions?.give() ?? {} });
    await hot.emit('vite:beforeFullReload', { type: 'full-reload' });
    await hot.disposeAll();
    await boot?.app?.shutdown();
  } catch (error) {
    reportStray(error);
  }
  process.exit(exitCode);
}

function reportStray(error: unknown): void {
  if (spare && !spare.isActivated) {
    // Nobody is to hear of it; whatever it was will be said by the app, if it happens there.
    void fail(error);
    return;
  }
  const { stack, message } = serializeError(error);
  process.stderr.write(`${stack ?? message}\n`);
}
