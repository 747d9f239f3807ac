import { expect, test } from 'vitest';
import { rememberFolderListings } from '../../../../src/medusa/speed/folder-listings.ts';

const INSTALLED = '/shop/node_modules/@medusajs/medusa/dist/api';
const WINDOWS = 'C:\\shop\\node_modules\\@medusajs\\medusa\\dist\\api';
const PROJECT = '/shop/src/api';

function listFolders() {
  const asked: string[] = [];
  const exports = {
    readDirRecursive: async (folder: string, options?: object) => {
      asked.push(folder);
      if (folder.includes('missing')) {
        throw new Error('ENOENT');
      }
      return [{ name: `${folder} ${JSON.stringify(options)}` }];
    },
  };
  rememberFolderListings({ require: () => exports, assertReplaceable: () => {} });
  return { asked, list: exports.readDirRecursive };
}

test('a folder of a package is listed once, a folder of the project each time', async () => {
  const { asked, list } = listFolders();
  for (const folder of [INSTALLED, WINDOWS, PROJECT, INSTALLED, WINDOWS, PROJECT]) {
    expect(await list(folder)).toEqual([{ name: `${folder} undefined` }]);
  }
  expect(asked).toEqual([INSTALLED, WINDOWS, PROJECT, PROJECT]);
});

test('who changes a list does so for itself, and who asks differently gets another', async () => {
  const { list } = listFolders();
  (await list(INSTALLED)).pop();
  expect(await list(INSTALLED)).toHaveLength(1);
  const shallow = { maxDepth: 1 };
  expect(await list(INSTALLED, shallow)).toEqual([{ name: `${INSTALLED} {"maxDepth":1}` }]);
});

test('a folder that could not be listed is tried again', async () => {
  const { asked, list } = listFolders();
  const missing = `${INSTALLED}/missing`;
  await expect(list(missing)).rejects.toThrow('ENOENT');
  await expect(list(missing)).rejects.toThrow('ENOENT');
  expect(asked).toHaveLength(2);
});
