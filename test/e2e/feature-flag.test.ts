import { afterAll, beforeAll, beforeEach, describe, expect, onTestFailed, test, vi } from 'vitest';
import { CliRun } from './support/cli.ts';
import { createDatabase, type TestDatabase } from './support/database.ts';
import { createProject, type Project } from './support/project.ts';
import { touch } from './support/touch.ts';

const CONFIG = 'medusa-config.ts';
const PING = 'src/api/ping/route.ts';
const HINT = 'backend HMR is off, so every change restarts the app; switch it on with';
const FLAG = 'MEDUSA_FF_BACKEND_HMR';

/** Three restarts in one test: 12 s, on a busy machine several times that. */
vi.setConfig({ testTimeout: 240_000 });

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});

afterAll(() => database.drop());

describe('the feature flag', () => {
  let project: Project;
  let dev: CliRun;

  beforeAll(async () => {
    project = createProject();
    project.write('.env', '# nothing yet\n');
    dev = start(project);
    expect(await dev.event('ready')).toMatchObject({ hmr: true });
  });

  beforeEach(() => printOnFailure(dev));

  afterAll(async () => {
    await dev.stop();
    project.dispose();
  });

  test('of the config switches on', async () => {
    expect(project.read(CONFIG)).toContain('backend_hmr: true');
    expect(await resultOfASave()).toBe('reloaded');
    expect(dev.output).not.toContain(HINT);
  });

  test('of `.env` switches off, whatever the config says', async () => {
    await restartBy('.env', () => project.write('.env', `${FLAG}=false\n`));
    expect(await resultOfASave()).toBe('restarted');
  });

  test('of `.env` switches on, whatever the config says', async () => {
    await restartBy(CONFIG, () =>
      project.edit(CONFIG, (source) => source.replace('backend_hmr: true', 'backend_hmr: false')),
    );
    await restartBy('.env', () => project.write('.env', `${FLAG}=TRUE\n`));
    expect(await resultOfASave()).toBe('reloaded');
  });

  test('that is nowhere leaves it off', async () => {
    await restartBy('.env', () => project.remove('.env'));
    await restartBy(CONFIG, () =>
      project.edit(CONFIG, (source) => source.replace('backend_hmr: false', '')),
    );
    expect(await resultOfASave()).toBe('restarted');
  });

  async function restartBy(file: string, save: () => void): Promise<void> {
    expect(await dev.update(file, save)).toMatchObject({ result: 'restarted' });
  }

  async function resultOfASave(): Promise<string> {
    const update = await dev.update(PING, () => project.edit(PING, touch));
    return update.result;
  }
});

describe('at the start', () => {
  test('the environment wins over `.env`, and one line says how to switch it on', async () => {
    await withProject({ env: { [FLAG]: 'false' } }, async (dev, project) => {
      expect(await dev.event('ready')).toMatchObject({ hmr: false });
      for (const file of [PING, 'src/lib/words.ts']) {
        const update = await dev.update(file, () => project.edit(file, touch));
        expect(update).toMatchObject({ result: 'restarted' });
      }
      expect(dev.output.split(HINT)).toHaveLength(2);
    });
  });

  test('`--hmr` wins over the environment', async () => {
    await withProject({ args: ['--hmr'], env: { [FLAG]: 'false' } }, async (dev, project) => {
      expect(await dev.event('ready')).toMatchObject({ hmr: true });
      const update = await dev.update(PING, () => project.edit(PING, touch));
      expect(update).toMatchObject({ result: 'reloaded' });
      expect(dev.output).not.toContain(HINT);
    });
  });

  test('`--no-hmr` wins over all of them', async () => {
    await withProject({ args: ['--no-hmr'], env: { [FLAG]: 'true' } }, async (dev, project) => {
      expect(await dev.event('ready')).toMatchObject({ hmr: false });
      const update = await dev.update(PING, () => project.edit(PING, touch));
      expect(update).toMatchObject({ result: 'restarted' });
    });
  });
});

interface StartOptions {
  args?: string[];
  env?: Record<string, string>;
}

function start({ root }: Project, { args = [], env = {} }: StartOptions = {}): CliRun {
  return new CliRun(['dev', '--json', '-p', '0', '--no-types', ...args], {
    cwd: root,
    env: { DATABASE_URL: database.url, DISABLE_MEDUSA_ADMIN: 'true', ...env },
  });
}

/** Config and `.env` say on. */
async function withProject(
  options: StartOptions,
  body: (dev: CliRun, project: Project) => Promise<void>,
): Promise<void> {
  const project = createProject();
  project.write('.env', `${FLAG}=true\n`);
  const dev = start(project, options);
  printOnFailure(dev);
  try {
    await body(dev, project);
  } finally {
    await dev.stop();
    project.dispose();
  }
}

function printOnFailure(dev: CliRun): void {
  onTestFailed(() => console.error(dev.output));
}
