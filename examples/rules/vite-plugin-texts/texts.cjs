const { readdirSync, readFileSync } = require('node:fs');
const { parse } = require('node:path');

const FOLDER = 'src/texts';

/** Set when the app asks for the first time. */
let titles;

exports.readTexts = () => {
  titles ??= Object.fromEntries(
    readdirSync(FOLDER)
      .filter((file) => file.endsWith('.md'))
      .map((file) => exports.readText(`${FOLDER}/${file}`)),
  );
  return titles;
};

exports.readText = (path) => {
  const title = /^# (.+)$/m.exec(readFileSync(path, 'utf8'))?.[1];
  if (title === undefined) {
    throw new Error(`${path} has no title`);
  }
  return [parse(path).name, title];
};
