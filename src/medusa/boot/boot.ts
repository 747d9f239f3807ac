import type { MedusaPackages } from '../packages.ts';
import type { LoadedApp, MedusaContainer } from './loaded-app.ts';
import { quietTelemetry } from './telemetry.ts';
import { generateTypes } from './types.ts';

type Loader = (options: Record<string, unknown>) => Promise<LoadedApp>;
type Start = (options: Record<string, unknown>) => Promise<unknown>;

export interface BootOptions {
  root: string;
  port: number;
  host: string | undefined;
}

/**
 * Boots stock Medusa by its own `start` command, in this process.
 * (`medusa/dist/commands/start.js` and `medusa/dist/loaders/index.js`, 2.12.1 to 2.21.2)
 */
export class MedusaBoot {
  readonly #packages: MedusaPackages;
  readonly #start: Start;
  /** Undefined until the app is loaded. */
  #app: LoadedApp | undefined;
  #expressApp: unknown;
  /** Set while Medusa loads the app. */
  #onFailure: ((error: unknown) => void) | undefined;

  constructor(packages: MedusaPackages) {
    this.#packages = packages;
    const loaders = packages.require('@medusajs/medusa', 'dist/loaders/index.js');
    packages.assertReplaceable(loaders, 'default', '@medusajs/medusa/dist/loaders/index.js');
    const load = loaders.default as Loader;
    // Stock `start` prints a boot error and exits; the host wants the error itself.
    loaders.default = async (options: Record<string, unknown>) => {
      this.#expressApp = options.expressApp;
      try {
        this.#app = await load(options);
        return this.#app;
      } catch (error) {
        this.#onFailure?.(error);
        return new Promise(() => {});
      }
    };
    const start = packages.require('@medusajs/medusa', 'dist/commands/start.js');
    packages.assertReplaceable(start, 'default', '@medusajs/medusa/dist/commands/start.js');
    this.#start = start.default as Start;
    quietTelemetry(packages);
  }

  /** Medusa's one container, which is there, and filled, while the app is loaded. */
  get container(): MedusaContainer {
    const { container } = this.#packages.require('@medusajs/framework', 'dist/container.js');
    return container as MedusaContainer;
  }

  /** @throws MedusaViteError if Medusa has loaded the app without it */
  get express(): unknown {
    if (typeof this.#expressApp !== 'function') {
      throw this.#packages.unexpected('@medusajs/medusa/dist/loaders/index.js#expressApp');
    }
    return this.#expressApp;
  }

  /**
   * Settles when Medusa has asked to listen, which is a little before its server says that it does.
   * @throws what made the boot fail.
   */
  async start({ root, port, host }: BootOptions): Promise<void> {
    const signals = ['SIGTERM', 'SIGINT'] as const;
    const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]));
    await new Promise<void>((resolve, reject) => {
      this.#onFailure = reject;
      // Types are written after the server is ready, see `writeTypes`.
      this.#start({ directory: root, port, host, types: false }).then(() => resolve(), reject);
    });
    // The host decides when the app ends; Medusa's own handlers wait for requests without a limit.
    for (const signal of signals) {
      for (const listener of process.listeners(signal)) {
        if (!before.get(signal)?.includes(listener)) {
          process.removeListener(signal, listener);
        }
      }
    }
  }

  async writeTypes(root: string): Promise<void> {
    if (this.#app) {
      await generateTypes(this.#packages, root, this.#app);
    }
  }

  /** Runs the shutdown hooks and closes the connections of the app, if it is loaded. */
  async stop(): Promise<void> {
    await this.#app?.shutdown();
  }
}
