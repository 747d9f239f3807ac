import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SerializedError } from 'vitest';
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import type { SetupTimes } from './e2e/support/setup-times.ts';

const SHOWN_FILES = 10;
const SHOWN_FROM_MS = 1_000;
const SHOWN_LINES = 60;

/** Says at the end which files took the longest; and tells .ci/run, in files below `TEST_REPORT`, what it counts. */
export default class Report implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const slowest = slowestOf(modules);
    console.log(slowest);
    const folder = process.env.TEST_REPORT;
    if (folder) {
      const passed = modules.flatMap((module) => [...module.children.allTests('passed')]);
      const failures = [...modules.flatMap(failuresOf), ...errors.map(unhandled)];
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'counts'), `${passed.length} ${failures.length}\n`);
      writeFileSync(join(folder, 'failures'), failures.join(''));
      writeFileSync(join(folder, 'slowest'), slowest);
    }
  }
}

function slowestOf(modules: readonly TestModule[]): string {
  const rows = modules
    .map((module) => ({ module, ms: module.diagnostic().duration }))
    .filter(({ ms }) => ms >= SHOWN_FROM_MS)
    .sort((a, b) => b.ms - a.ms);
  const all = rows.reduce((sum, { ms }) => sum + ms, 0);
  const lines = rows.slice(0, SHOWN_FILES).map(({ module, ms }) => {
    return `${seconds(ms)}  ${nameOf(module)}${setUpOf(module.meta().setupTimes)}\n`;
  });
  return lines.length === 0
    ? ''
    : `The slowest of ${modules.length} test files, which took ${Math.round(all / 1000)} s one by one:\n${lines.join('')}`;
}

function setUpOf(times: SetupTimes = {}): string {
  const parts = Object.entries(times).map(([kind, { count, ms }]) => {
    return `${count} × ${kind} ${seconds(ms).trim()}`;
  });
  return parts.length === 0 ? '' : `, of it ${parts.join(', ')}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1).padStart(6)} s`;
}

function nameOf({ project, relativeModuleId }: TestModule): string {
  return `${project.name}: ${relativeModuleId}`;
}

function failuresOf(module: TestModule): string[] {
  const failed = [...module.children.allTests('failed')];
  const suites = [...module.children.allSuites()].filter((suite) => suite.errors().length > 0);
  return [
    ...failed.map((test) => failure(module, test.fullName, errorsOf(test))),
    ...suites.map((suite) => failure(module, suite.fullName, suite.errors())),
    // One that cannot be loaded, or whose hooks fail, has no failed test of its own.
    ...(module.errors().length > 0 ? [failure(module, '(the file)', module.errors())] : []),
  ];
}

function errorsOf(test: TestCase): readonly SerializedError[] {
  return test.result().errors ?? [];
}

function failure(module: TestModule, name: string, errors: readonly SerializedError[]): string {
  return `FAILED: ${nameOf(module)}: ${name}\n    ${reasonOf(errors[0])}\n`;
}

function unhandled(error: SerializedError): string {
  return `FAILED: an error that nothing caught\n    ${reasonOf(error)}\n`;
}

function reasonOf(error: SerializedError | undefined): string {
  const reason = error?.stack ?? error?.message ?? '';
  return reason.split('\n').slice(0, SHOWN_LINES).join('\n    ');
}
