import type {
  AdminAddress,
  AdminReplies,
  AdminRequest,
  AdminToHost,
  HostToAdmin,
} from '../../protocol/admin.ts';
import { CHANNEL_FD } from '../../protocol/channel.ts';
import { contentOf } from '../../shared/file-state.ts';
import type { ForkedExit, ForkedProcess } from '../../shared/process/forked-process.ts';
import { describeExit } from '../../shared/process/process-exit.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import type { Transformer } from '../../vite/transformer.ts';
import { AppModules } from './app-modules.ts';
import { BootError } from './process-failure.ts';
import { forkProjectProcess } from './project-process.ts';

export interface AdminProcessOptions {
  root: string;
  transformer: Transformer;
  /** Whether the process's stdout goes to the host's stderr, because the host's stdout carries JSON. */
  isStdoutTaken: boolean;
  request: AdminRequest;
  /** The port that open tabs know for the HMR socket; unset if there is none yet. */
  hmrPort: number | undefined;
}

/** A start takes a second or two, more on a busy machine. The app's requests wait longer than this limit. */
const START_LIMIT_MS = 50_000;
/** The admin process has nothing to finish: only an endless loop takes longer. */
const STOP_LIMIT_MS = 1_000;

/** One run of the process with the Vite of Medusa's dashboard. */
export class AdminProcess {
  /** Resolves when the process serves. @throws BootError */
  readonly ready: Promise<AdminAddress>;
  /** Resolves to the reason of the exit. */
  readonly exited: Promise<SerializedError>;
  readonly #forked: ForkedProcess<HostToAdmin, AdminToHost, AdminReplies>;
  /** The modules that the process has loaded to evaluate the config. */
  readonly #modules: AppModules;
  /** The files that Node has loaded natively for the config, each with the content that it had. */
  readonly #natives = new Map<string, string | null>();

  constructor(options: AdminProcessOptions) {
    const { root, transformer, isStdoutTaken } = options;
    this.#modules = new AppModules(transformer);
    this.#forked = forkProjectProcess(
      {
        file: new URL('../../admin/main.js', import.meta.url),
        cwd: root,
        env: options.request.env,
        isStdoutTaken,
        onStderr: (data) => process.stderr.write(data),
      },
      { native: ({ file }) => this.#natives.set(file, contentOf(file)) },
    );
    const pipe = this.#forked.pipe(CHANNEL_FD);
    if (pipe) {
      this.#modules.serve(pipe);
    }
    this.exited = this.#forked.exited.then(describeEnd);
    this.ready = this.#start(options);
    this.ready.catch(() => {});
  }

  /** Whether the functions in the config may have changed since the start. */
  async isOutdated(): Promise<boolean> {
    const isNativeChanged = [...this.#natives].some(
      ([file, content]) => contentOf(file) !== content,
    );
    return isNativeChanged || this.#modules.isOutdated();
  }

  async stop(): Promise<void> {
    // A closed channel lets the process end in order, on Windows too, where a signal would kill it.
    await this.#forked.stop(() => this.#forked.disconnect(), STOP_LIMIT_MS);
  }

  kill(): void {
    this.#forked.kill();
  }

  async #start({ root, request, hmrPort }: AdminProcessOptions): Promise<AdminAddress> {
    const { env: _, ...rest } = request;
    const reply = await this.#forked.link.request(
      { type: 'start', root, request: rest, hmrPort },
      { limitMs: START_LIMIT_MS },
    );
    if (reply?.type === 'ready') {
      return reply.address;
    }
    if (reply) {
      throw new BootError(reply.error);
    }
    if (this.#forked.isAlive) {
      this.kill();
      const message = 'The admin does not answer, as in an endless loop.';
      throw new BootError({ name: 'Error', message });
    }
    throw new BootError(await this.exited);
  }
}

function describeEnd(exit: ForkedExit): SerializedError {
  const how = exit.error ? `before it was started: ${exit.error.message}` : describeExit(exit);
  const lines = exit.stderr.trim();
  return { name: 'Error', message: `The admin exited ${how}.${lines ? `\n${lines}` : ''}` };
}
