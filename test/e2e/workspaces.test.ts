import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { UpdateEvent } from './support/dev-server.ts';
import { useShop } from './support/shop.ts';

const PACKAGES = '../packages';

const shop = useShop({
  links: { '@shop/words': `${PACKAGES}/words`, '@shop/built': `${PACKAGES}/built` },
  files: {
    [`${PACKAGES}/words/package.json`]: '{ "name": "@shop/words", "main": "./src/index.ts" }',
    [`${PACKAGES}/words/src/index.ts`]: `export { word } from './word';\n`,
    [`${PACKAGES}/words/src/word.ts`]: `export const word = (): string => 'one';\n`,
    [`${PACKAGES}/built/package.json`]: '{ "name": "@shop/built", "main": "./lib/index.js" }',
    [`${PACKAGES}/built/lib/index.js`]: `exports.built = 'one';\n`,
    'src/api/words/route.ts': `
import { built } from '@shop/built';
import { word } from '@shop/words';
export const GET = (_req: unknown, res: { json(body: unknown): void }) => res.json([word(), built]);
`,
  },
});

/** Saves a file of a package, or deletes it, and waits for the update that names it. */
function save(file: string, source: string | undefined): Promise<UpdateEvent> {
  const path = join(shop.project.root, PACKAGES, file);
  return shop.dev.nextUpdate(path, () =>
    source === undefined ? rmSync(path) : writeFileSync(path, source),
  );
}

describe('a linked package beside the project', () => {
  test('is reloaded where it is source', async () => {
    await shop.answers('/words', ['one', 'one']);

    const update = await save('words/src/word.ts', `export const word = (): string => 'twenty';\n`);

    expect(update).toMatchObject({ result: 'reloaded', resources: ['route GET /words'] });
    await shop.answers('/words', ['twenty', 'one']);
  });

  test('is followed when its files go, come back and take the place of others', async () => {
    expect(await save('words/src/word.ts', undefined)).toMatchObject({ result: 'kept-previous' });
    const back = await save('words/src/word.ts', `export const word = (): string => 'back';\n`);
    expect(back).toMatchObject({ result: 'reloaded' });
    await shop.answers('/words', ['back', 'one']);

    // Before `.ts`, as for Node.
    await save('words/src/word.js', `exports.word = () => 'script';\n`);

    await shop.answers('/words', ['script', 'one']);
    await save('words/src/word.js', undefined);
    await shop.answers('/words', ['back', 'one']);
  });

  test('restarts where it is built, also when it is built anew', async () => {
    expect(await save('built/lib/index.js', `exports.built = 'twenty';\n`)).toMatchObject({
      result: 'restarted',
      reason: expect.stringContaining('and Node has loaded it natively'),
    });
    await shop.answers('/words', ['back', 'twenty']);

    expect(await save('built/lib/index.js', undefined)).toMatchObject({ result: 'kept-previous' });
    await save('built/lib/index.js', `exports.built = 'built anew';\n`);

    await shop.answers('/words', ['back', 'built anew']);
  });
});
