import inspector from 'node:inspector';
import { resolveAdminPath } from '../medusa/boot/admin-path.ts';
import { databaseUrlOf } from '../medusa/boot/config.ts';
import { resolveBackendHmr, switchOffStockHmr } from '../medusa/boot/feature-flag.ts';
import type {
  AppOptions,
  AppToHost,
  HostToApp,
  PreparedApp,
  ReloadOutcome,
  ReloadPlan,
} from '../protocol/messages.ts';
import { assertDatabaseReachable } from '../shared/database-check.ts';
import type { MessageHandlers } from '../shared/process/link.ts';
import { serializeError } from '../shared/serialized-error.ts';
import { printStray } from './link/host-tie.ts';
import { InspectorReport } from './link/inspector-report.ts';
import type { LoadMedusaOptions, PatchedMedusa } from './patched-medusa.ts';
import { AppPort } from './port/app-port.ts';
import { ProjectCode, type ProjectCodeOptions } from './project-code.ts';
import type { Reloads } from './reload/reloads.ts';
import { BootRecord } from './spare/boot-record.ts';
import { type Spare, UnfitSpareError } from './spare/spare.ts';

/** Medusa writes types in one go, for a second or more; whoever waits for the app comes first. */
const TYPES_DELAY_MS = 2_000;

export interface AppParts {
  options: AppOptions;
  /** Set if this process was forked as a spare. */
  spare: Pick<Spare, keyof Spare> | undefined;
  channel: ProjectCodeOptions['channel'];
  loadMedusa(options: LoadMedusaOptions): AppMedusa;
  send(message: AppToHost): Promise<void>;
  exit(code: number): void;
}

/** Tests have another one. */
export type AppMedusa = Pick<PatchedMedusa, keyof PatchedMedusa>;

/**
 * The app in this process, from its first moment to its last. The host says when each phase begins:
 * `prepare`, while the previous app still serves; `start`, when that one is gone; `reload`, at each change; `stop`.
 */
export class App {
  readonly code: ProjectCode;
  readonly #parts: AppParts;
  readonly #port: AppPort;
  readonly #inspector: InspectorReport;
  readonly #record = new BootRecord();
  /** Set while the app prepares, as soon as Medusa is loaded. */
  #medusa: AppMedusa | undefined;
  /** Set while the app prepares, once the reloaders are known. */
  #reloads: Reloads | undefined;
  #typesTimer: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor(parts: AppParts) {
    const { options, channel, send } = parts;
    this.#parts = parts;
    this.code = new ProjectCode({ root: options.root, channel, send, onError: this.report });
    this.#port = new AppPort((message) => void send(message));
    this.#inspector = new InspectorReport((message) => void send(message));
  }

  /** The host may send any of these messages at any time. */
  readonly handlers: MessageHandlers<HostToApp> = {
    start: ({ sessions }) => void this.start(sessions),
    'hmr-reload': ({ id, plan }) => void this.reload(id, plan),
    shutdown: () => void this.stop(0),
    prune: ({ ids }) => this.code.prune(ids),
    retrace: ({ modules }) => this.code.retrace(modules),
    hold: () => this.#port.gate.hold(),
    release: () => this.#port.gate.release(),
    admin: ({ state }) => this.#port.admin.update(state),
    ping: () => {
      this.#inspector.update();
      void this.#parts.send({ type: 'pong' });
    },
    preload: ({ packages }) => this.#parts.spare?.list(packages),
    anticipate: () => this.#parts.spare?.anticipate(),
    activate: ({ env, reloaders }) => this.#parts.spare?.activate({ env, reloaders }),
    'list-packages': ({ id }) => {
      const { packages } = this.#record;
      void this.#parts.send({
        type: 'packages',
        id,
        packages: packages && { ...packages, schema: this.#medusa?.schema.text },
      });
    },
  };

  /** For an error that nobody has caught. */
  readonly report = (error: unknown): void => {
    if (this.#isWaitingSpare) {
      // Not printed: if it happens in the next app too, that one prints it.
      void this.#fail(error);
    } else {
      printStray(error);
    }
  };

  /** Does all that is possible while the previous app still serves: loads Medusa and evaluates the config. */
  async prepare(): Promise<void> {
    // VS Code attaches its debugger to each process that is started in its terminal.
    this.#inspector.update();
    await this.#orFail(async () => {
      const app = await this.#prepare();
      await this.#parts.send({ type: 'prepared', app });
    });
  }

  async #prepare(): Promise<PreparedApp> {
    const { options, spare, send, loadMedusa } = this.#parts;
    const medusa = loadMedusa({
      ...options,
      code: this.code,
      spare,
      trace: this.#record.trace,
      appPort: this.#port,
      send,
      onError: this.report,
    });
    this.#medusa = medusa;
    let { reloaders } = options;
    if (spare) {
      await send({ type: 'preloaded', files: await spare.preload(medusa) });
      reloaders = await spare.becomeApp(medusa);
    }
    this.#reloads = medusa.createReloads(reloaders);

    this.#record.begin();
    const config = await medusa.readConfig();
    const databaseUrl = databaseUrlOf(config);
    if (databaseUrl) {
      await assertDatabaseReachable(databaseUrl);
    }
    const backendHmr = resolveBackendHmr(config);
    switchOffStockHmr(config);
    this.#record.endConfig();
    spare?.assertConfigured();

    if (options.trial) {
      await medusa.flags.set(options.root, config);
      await this.code.tryOut(options.trial);
    }
    this.code.loaded.flush();
    return { backendHmr, adminPath: resolveAdminPath(config) };
  }

  /** Boots Medusa. The previous app has ended by then. @param sessions those of the previous app */
  async start(sessions: Record<string, string>): Promise<void> {
    const { options, spare, send } = this.#parts;
    if (options.inspect) {
      const { port, host, wait } = options.inspect;
      inspector.open(port, host, wait);
    }
    await this.#orFail(async () => {
      if (!this.#medusa || !this.#reloads) {
        throw new Error('Expected the app to be prepared: this is a bug of medusa-vite.');
      }
      this.#medusa.sessions.take(sessions);
      await this.#medusa.start();
      const booted = this.#record.end(this.#medusa.flags);
      spare?.assertBooted(booted, this.#medusa.flags);
      await this.#reloads.start();
      this.#port.admin.settle();
      this.code.loaded.flush();
      await send({ type: 'ready' });
      if (options.types && !this.#isStopping) {
        this.#typesTimer = setTimeout(() => void this.#writeTypes(), TYPES_DELAY_MS).unref();
      }
    });
  }

  async reload(id: number, plan: ReloadPlan): Promise<void> {
    this.#inspector.update();
    const outcome: ReloadOutcome = (await this.#reloads?.run(plan)) ?? {
      type: 'restart-needed',
      reason: { type: 'reload-failed', message: 'the app was not ready' },
    };
    this.code.loaded.flush();
    await this.#parts.send({ type: 'hmr-result', id, outcome });
  }

  /** In any phase: finishes the requests, cleans up and ends the process. */
  async stop(exitCode: number): Promise<void> {
    const { send, exit } = this.#parts;
    this.#inspector.update();
    if (this.#isStopping) {
      return;
    }
    this.#isStopping = true;
    clearTimeout(this.#typesTimer);
    try {
      await this.#port.drain();
      await send({ type: 'sessions', sessions: this.#medusa?.sessions.give() ?? {} });
      await this.code.dispose();
      await this.#medusa?.stop();
    } catch (error) {
      this.report(error);
    }
    exit(exitCode);
  }

  async #writeTypes(): Promise<void> {
    const { send } = this.#parts;
    // Writing blocks the event loop, on a slow machine for seconds; the host must not take that for an endless loop.
    await send({ type: 'busy', isBusy: true });
    try {
      await this.#medusa?.writeTypes();
    } catch (error) {
      const { message } = serializeError(error);
      process.stderr.write(`medusa-vite: types were not written: ${message}\n`);
    }
    await send({ type: 'busy', isBusy: false });
  }

  /** A phase that fails ends the process. Once the process stops, a failure only comes of the stop. */
  async #orFail(phase: () => Promise<void>): Promise<void> {
    try {
      await phase();
    } catch (error) {
      if (!this.#isStopping) {
        await this.#fail(error);
      }
    }
  }

  async #fail(error: unknown): Promise<void> {
    const { send, exit } = this.#parts;
    const serialized = serializeError(error);
    await send(
      error instanceof UnfitSpareError || this.#isWaitingSpare
        ? { type: 'unfit', reason: serialized.message }
        : { type: 'boot-failed', error: serialized },
    );
    exit(1);
  }

  get #isWaitingSpare(): boolean {
    return this.#parts.spare?.isActivated === false;
  }
}
