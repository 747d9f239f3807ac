import type { ChannelReply, ChannelRequest } from '../protocol/channel.ts';
import type { AppToHost, Retrace, Trial } from '../protocol/messages.ts';
import { serializeError } from '../shared/serialized-error.ts';
import { LoadedReporter } from './link/loaded-reporter.ts';
import { HotRegistry } from './reload/hot-registry.ts';
import { ProjectRunner } from './runner/project-runner.ts';
import { StackTraces } from './runner/stack-traces.ts';

export interface ProjectCodeOptions {
  root: string;
  channel: { request(request: ChannelRequest): ChannelReply };
  send(message: AppToHost): void;
  onError(error: unknown): void;
}

/** The project's own code in this process: evaluates it, tells the host which files are loaded, and disposes of it. */
export class ProjectCode {
  readonly runner: ProjectRunner;
  /** `import.meta.hot` of each module. */
  readonly hot: HotRegistry;
  readonly loaded: LoadedReporter;
  readonly stackTraces: StackTraces;

  constructor({ root, channel, send, onError }: ProjectCodeOptions) {
    this.loaded = new LoadedReporter(send);
    this.hot = new HotRegistry({
      resolve: (specifier, importer) => {
        const reply = channel.request({ type: 'resolve', specifier, importer });
        return reply.type === 'resolved' ? (reply.id ?? undefined) : undefined;
      },
      exportsOf: (id) => this.runner.exportsOf(id),
      onAccepts: (id, dependencies) => this.loaded.accepts(id, dependencies),
      onInvalidate: (id) => send({ type: 'invalidate', id }),
      onError,
    });
    this.runner = new ProjectRunner({
      root,
      channel,
      onEdge: (importer, id) => this.loaded.edge(importer, id),
      onNative: (file) => this.loaded.native(file),
      createHot: (id) => this.hot.create(id),
    });
    this.stackTraces = new StackTraces((file) => this.runner.codeOf(file));
  }

  /** For Medusa's own loaders. */
  importEntry(file: string): Promise<object> {
    this.loaded.entry(file);
    return this.runner.importFile(file);
  }

  /** For Node's own `require`, as Medusa and packages call it. */
  requireEntry(file: string): unknown {
    this.loaded.entry(file);
    return this.runner.requireFile(file);
  }

  /**
   * Evaluates a module that the running app could not evaluate, to find out whether another process can.
   * @throws only the error that the trial is about
   */
  async tryOut({ module, message }: Trial): Promise<void> {
    const firstLine = (text: string) => text.split('\n', 1)[0];
    try {
      await this.runner.importFile(module);
    } catch (error) {
      // Any other error may come of a part of the boot that is still to follow.
      if (firstLine(serializeError(error).message) === firstLine(message)) {
        throw error;
      }
    }
  }

  /** Nothing imports these modules any more. */
  prune(ids: string[]): void {
    this.runner.prune(ids);
    void this.hot.prune(ids);
  }

  /** The lines of these modules have moved; the code that runs is the same. */
  retrace(modules: Retrace[]): void {
    for (const module of modules) {
      this.stackTraces.retrace(module);
    }
  }

  /** To be called before the process ends. */
  async dispose(): Promise<void> {
    await this.hot.emit('vite:beforeFullReload', { type: 'full-reload' });
    await this.hot.disposeAll();
  }
}
