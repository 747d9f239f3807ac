import { parse } from 'node:path';
import { readText, readTexts } from './texts.cjs';

/** @type {import('medusa-vite/reloader').Reloader} */
export default {
  prepare({ files }) {
    const texts = readTexts();
    const changed = files.filter(({ change }) => change !== 'delete');
    // Throws if one is not as it should be: then all stay as they were.
    const entries = changed.map(({ path }) => readText(path));
    return {
      resources: files.map(({ path }) => `text ${parse(path).name}`),
      commit() {
        for (const { path } of files) {
          delete texts[parse(path).name];
        }
        Object.assign(texts, Object.fromEntries(entries));
      },
    };
  },
};
