import { describe, expect, test } from 'vitest';
import { useShop } from './support/shop.ts';

/** Medusa's own HMR decides by what the absolute path contains, and ignores everything below a dot folder. */
describe.each(['.worktrees/feature', 'src/api/jobs', 'node_modules_old/dist/static'])(
  'a project below `%s`',
  (under) => {
    const shop = useShop({ under });

    test('reloads routes, jobs and what they import, and restarts for its config', async () => {
      for (const [file, from, to] of [
        ['src/api/ping/route.ts', "'pong'", "'another pong'"],
        ['src/lib/words.ts', 'Hello', 'Good evening'],
        ['src/jobs/count-brands.ts', "version: 'v1'", "version: 'second'"],
      ] as const) {
        const update = await shop.dev.nextUpdate(file, () =>
          shop.project.edit(file, (source) => source.replace(from, to)),
        );
        expect(update).toMatchObject({ result: 'reloaded', files: [file] });
      }
      await shop.answers('/ping', { ping: 'another pong' });
      await shop.answers('/greeting?name=ada', { greeting: 'Good evening, Ada!' });

      const file = 'config/brand-options.ts';
      const update = await shop.dev.nextUpdate(file, () =>
        shop.project.edit(file, (source) => source.replace('made with care', 'made here')),
      );
      expect(update).toMatchObject({ result: 'restarted', files: [file] });
    });
  },
);
