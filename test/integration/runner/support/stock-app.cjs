// The same project as stock Medusa loads it. (`@medusajs/cli/cli.js`)
const { createRequire } = require('node:module');

const root = process.argv[2];
const projectRequire = createRequire(`${root}/package.json`);
projectRequire('ts-node').register({});
projectRequire('tsconfig-paths').register({});

import('./answer.mjs').then(({ answer }) =>
  answer({
    load: async (file) => projectRequire(file),
    require: projectRequire,
    describe: ({ message, stack }) => ({ message, stack }),
    commands: {},
  }),
);
