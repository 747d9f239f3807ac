import type { ChannelReply, ChannelRequest } from '../protocol/channel.ts';
import type { AppToHost, Retrace } from '../protocol/messages.ts';
import { LoadedReporter } from './link/loaded-report.ts';
import { HotRegistry } from './reload/hot-registry.ts';
import { ProjectRunner } from './runner/project-runner.ts';
import { StackTraces } from './runner/stack-traces.ts';

export interface ProjectCodeOptions {
  root: string;
  channel: { request(request: ChannelRequest): ChannelReply };
  send(message: AppToHost): void;
  onError(error: unknown): void;
}

/** The project's own code in this process: evaluates it, tells the host what was loaded, and disposes of it. */
export class ProjectCode {
  readonly runner: ProjectRunner;
  /** `import.meta.hot` of each module. */
  readonly hot: HotRegistry;
  readonly #loaded: LoadedReporter;
  readonly #stackTraces: StackTraces;

  constructor({ root, channel, send, onError }: ProjectCodeOptions) {
    this.#loaded = new LoadedReporter(send);
    this.hot = new HotRegistry({
      resolve: (specifier, importer) => {
        const reply = channel.request({ type: 'resolve', specifier, importer });
        return reply.type === 'resolved' ? (reply.id ?? undefined) : undefined;
      },
      exportsOf: (id) => this.runner.exportsOf(id),
      onAccepts: (id, dependencies) => this.#loaded.accepts(id, dependencies),
      onInvalidate: (id) => send({ type: 'invalidate', id }),
      onError,
    });
    this.runner = new ProjectRunner({
      root,
      channel,
      onEdge: (importer, id) => this.#loaded.edge(importer, id),
      onNative: (file) => this.noteNative(file),
      createHot: (id) => this.hot.create(id),
    });
    this.#stackTraces = new StackTraces((file) => this.runner.codeOf(file));
  }

  /** Shows errors at the lines of the sources. */
  installStackTraces(): void {
    this.#stackTraces.install();
  }

  /** For Medusa, which loads the file by itself. */
  importEntry(file: string): Promise<object> {
    this.noteEntry(file);
    return this.runner.importFile(file);
  }

  /** For Node's own `require`, as Medusa and packages call it. */
  requireEntry(file: string): unknown {
    this.noteEntry(file);
    return this.runner.requireFile(file);
  }

  /** A file that nothing imports, and that is in use all the same. */
  noteEntry(file: string): void {
    this.#loaded.entry(file);
  }

  /** A file outside of `node_modules` that Node loads, and not the runner. */
  noteNative(file: string): void {
    this.#loaded.native(file);
  }

  /** Tells the host now what was loaded: before a message that it answers by looking at its graph. */
  flush(): void {
    this.#loaded.flush();
  }

  /** Nothing imports these modules any more. */
  prune(ids: string[]): void {
    this.runner.prune(ids);
    void this.hot.prune(ids);
  }

  /** The lines of these modules have moved, though what runs is the same. */
  retrace(modules: Retrace[]): void {
    for (const module of modules) {
      this.#stackTraces.retrace(module);
    }
  }

  /** The process ends. */
  async dispose(): Promise<void> {
    await this.hot.emit('vite:beforeFullReload', { type: 'full-reload' });
    await this.hot.disposeAll();
  }
}
