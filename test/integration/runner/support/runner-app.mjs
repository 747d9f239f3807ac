// The app's side of the runner tests: what `src/app/main.ts` sets up, without Medusa.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { answer } from './answer.mjs';

const [dist, root] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(`${dist}/src/${file}.js`).href);
const { CHANNEL_FD } = await load('protocol/channel');
const { ModuleChannel } = await load('app/runner/module-channel');
const { hookNativeRequire } = await load('app/runner/native/require-hook');
const { ProjectRunner } = await load('app/runner/project-runner');
const { serializeError } = await load('shared/serialized-error');
const { StackTraces } = await load('app/runner/stack-traces');

const report = { entries: [], edges: [], natives: [] };
const require = createRequire(`${root}/package.json`);
const onNative = (file) => report.natives.push(file);

const runner = new ProjectRunner({
  root,
  channel: new ModuleChannel(CHANNEL_FD),
  onEdge: (importer, id) => report.edges.push([importer, id]),
  onNative,
});
new StackTraces((file) => runner.codeOf(file)).install();
hookNativeRequire({
  root,
  requireFile: (file) => {
    report.entries.push(file);
    return runner.requireFile(file);
  },
  onNative,
});

const kept = [];

answer({
  load: (file) => runner.importFile(file),
  require,
  describe: serializeError,
  commands: {
    begin: ({ invalidated, modules, deleted = [], isForced = false }) => {
      kept.length = 0;
      runner.begin({
        invalidated,
        fresh: modules,
        deleted: new Set(deleted),
        isForced,
        onKept: (id) => kept.push(id),
      });
    },
    kept: () => kept,
    commit: () => runner.commit(),
    rollback: () => runner.rollback(),
    evaluations: () => runner.evaluations,
    isEvaluated: ({ file }) => runner.isEvaluated(file),
    report: () => report,
    together: async ({ files }) => {
      const settled = await Promise.allSettled(files.map((file) => runner.importFile(file)));
      return settled.map(({ status, reason }) => reason?.message ?? status);
    },
  },
});
