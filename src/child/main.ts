import inspector from 'node:inspector';
import { Worker } from 'node:worker_threads';
import { replaceAdminBundler } from '../medusa/admin-bundler.ts';
import { resolveAdminPath } from '../medusa/admin-path.ts';
import { ApiRouter } from '../medusa/api-router.ts';
import { loadDotEnv, MedusaBoot } from '../medusa/boot.ts';
import { readConfig } from '../medusa/config.ts';
import { replaceDynamicImport } from '../medusa/dynamic-import.ts';
import { resolveBackendHmr, switchOffStockHmr } from '../medusa/feature-flag.ts';
import { FileConfigs } from '../medusa/file-config.ts';
import { rememberFolderListings } from '../medusa/folder-listings.ts';
import { HookRegistry } from '../medusa/hook-registry.ts';
import { JoinerConfigs } from '../medusa/joiner-configs.ts';
import { MedusaPackages } from '../medusa/packages.ts';
import { ScheduledJobs } from '../medusa/scheduled-jobs.ts';
import { Sessions } from '../medusa/sessions.ts';
import { Subscriptions } from '../medusa/subscriptions.ts';
import { WorkflowRegistry } from '../medusa/workflow-registry.ts';
import { CHANNEL_FD } from '../protocol/channel.ts';
import { assertDatabaseReachable } from '../protocol/database-check.ts';
import { CHILD_OPTIONS_ENV, type ChildOptions, type PreparedApp } from '../protocol/messages.ts';
import { serializeError } from '../protocol/serialized-error.ts';
import type { ReloaderApp } from '../reloader.ts';
import { AuthorsReloader } from '../reloaders/authors-reloader.ts';
import { JobsReloader } from '../reloaders/jobs.ts';
import { ModulesReloader } from '../reloaders/modules.ts';
import { RoutesReloader } from '../reloaders/routes.ts';
import { SubscribersReloader } from '../reloaders/subscribers.ts';
import { WorkflowsReloader } from '../reloaders/workflows.ts';
import { AdminForward } from './admin-forward.ts';
import { interceptListen } from './connections.ts';
import { DeferredEvaluation } from './deferred-evaluation.ts';
import { onHostMessage, sendToHost } from './host-link.ts';
import { HotRegistry } from './hot-registry.ts';
import { LoadedReporter } from './loaded-report.ts';
import { ModuleChannel } from './module-channel.ts';
import { hookNativeRequire } from './native-files.ts';
import { ProjectRunner } from './project-runner.ts';
import { ReloadPass } from './reload-pass.ts';
import { RequestGate } from './request-gate.ts';
import { StackTraces } from './stack-traces.ts';

/** How long requests in flight may take before a stop goes on without them; the host kills at 5 s. */
const DRAIN_LIMIT_MS = 4_000;

const SIGTERM_EXIT_CODE = 143;

const options = JSON.parse(process.env[CHILD_OPTIONS_ENV] ?? '{}') as ChildOptions;
delete process.env[CHILD_OPTIONS_ENV];
const { root, port, host } = options;

// Stock Medusa installs the same two: a stray rejection in user code must not end the dev server.
process.on('unhandledRejection', reportStray);
process.on('uncaughtException', reportStray);
// Ctrl-C and a closed terminal reach the whole process group; the host decides how this process ends.
process.on('SIGINT', () => {});
process.on('SIGHUP', () => {});
process.on('SIGTERM', () => void stop(SIGTERM_EXIT_CODE));
process.on('disconnect', () => void stop());
// A terminal that is closed takes no more output; that is no reason to end in the middle of a request.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
watchHost();

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
let boot: MedusaBoot | undefined;
let pass: ReloadPass | undefined;
let sessions: Sessions | undefined;
let scheduledJobs: ScheduledJobs | undefined;
let authorsReloaders: AuthorsReloader[] = [];
let connections: ReturnType<typeof interceptListen> | undefined;

onHostMessage({
  start: (message) => {
    sessions?.take(message.sessions);
    void start();
  },
  'hmr-reload': ({ id, plan }) => void reload(id, plan),
  shutdown: () => void stop(),
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
  ping: ({ id }) => void sendToHost({ type: 'pong', id }),
});

try {
  await sendToHost({ type: 'prepared', app: await prepare() });
} catch (error) {
  await fail(error);
}

/** Everything that can be done while the previous child still serves: load Medusa, evaluate the config. */
async function prepare(): Promise<PreparedApp> {
  process.chdir(root);
  const packages = new MedusaPackages(root);
  loadDotEnv(packages);
  hookNativeRequire({
    root,
    requireFile: (file) => {
      loaded.entry(file);
      return runner.requireFile(file);
    },
    onNative: (file) => loaded.native(file),
  });
  rememberFolderListings(packages);
  const fileConfigs = new FileConfigs(packages);
  const owner = () => runner.evaluating;
  const workflows = new WorkflowRegistry(packages, owner);
  const hooks = new HookRegistry({ packages, owner, handlersOf: (id) => workflows.handlersOf(id) });
  const medusa = new MedusaBoot(packages);
  boot = medusa;
  sessions = new Sessions(packages);
  replaceAdminBundler(packages, (request) => admin.open(request));
  const container = () => medusa.container;
  scheduledJobs = new ScheduledJobs(packages, workflows, container);
  const modules = new ModulesReloader(root, new JoinerConfigs(packages, container));
  const routes = new RoutesReloader(root, new ApiRouter(packages));
  const subscribers = new SubscribersReloader(root, new Subscriptions(packages, container));
  const jobs = new JobsReloader(root, scheduledJobs);
  authorsReloaders = createAuthorsReloaders(medusa);
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
  pass = new ReloadPass({
    runner,
    reloaders: [
      modules,
      new WorkflowsReloader({
        registry: workflows,
        fileConfigs,
        loadsIndexFiles: packages.isAtLeast('2.13.0'),
      }),
      routes,
      subscribers,
      jobs,
      ...authorsReloaders,
    ],
    registries: [workflows, hooks],
    hot,
    fileConfigs,
    deferred: new DeferredEvaluation({
      evaluate: (file) => runner.requireFile(file) as Record<string, unknown>,
      onError: reportStray,
    }),
  });

  const config = await readConfig(packages, root);
  const databaseUrl = MedusaBoot.databaseUrlOf(config);
  if (databaseUrl) {
    await assertDatabaseReachable(databaseUrl);
  }
  const backendHmr = resolveBackendHmr(config);
  switchOffStockHmr(config);
  loaded.flush();
  return { backendHmr, adminPath: resolveAdminPath(config) };
}

async function start(): Promise<void> {
  if (options.inspect) {
    inspector.open(options.inspect.port, options.inspect.host, options.inspect.wait);
  }
  try {
    await boot?.start({ root, port, host });
    scheduledJobs?.guardTimers();
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
    setImmediate(() => {
      boot?.writeTypes(root).catch((error: unknown) => {
        process.stderr.write(
          `medusa-vite: types were not written: ${serializeError(error).message}\n`,
        );
      });
    });
  }
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
  const outcome = pass
    ? await pass.run(plan)
    : ({ type: 'restart-needed', reason: 'the app was not ready' } as const);
  loaded.flush();
  await sendToHost({ type: 'hmr-result', id, outcome });
}

async function fail(error: unknown): Promise<void> {
  await sendToHost({ type: 'boot-failed', error: serializeError(error) });
  process.exit(1);
}

let isStopping = false;

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

/** Ends this process if the host is gone and the main thread does not notice, as in an endless loop. */
function watchHost(): void {
  const thread = new Worker(new URL('./host-watch.js', import.meta.url), { execArgv: [], env: {} });
  thread.on('error', reportStray);
  thread.unref();
}

function reportStray(error: unknown): void {
  const { stack, message } = serializeError(error);
  process.stderr.write(`${stack ?? message}\n`);
}
