/** Answers the test: `run` gives what the fixture's `result` is, or returns when it is a function. */
export function answer({ load, require, describe, commands }) {
  const all = {
    run: async ({ file, name = 'result' }) => {
      const { [name]: result } = await load(file);
      return typeof result === 'function' ? await result() : await result;
    },
    require: ({ file }) => {
      const { result } = require(file);
      return typeof result === 'function' ? result() : result;
    },
    global: ({ name }) => globalThis[name],
    ...commands,
  };
  process.on('message', async ({ id, type, ...options }) => {
    try {
      process.send({ id, json: toJson(await all[type](options)) });
    } catch (error) {
      process.send({ id, error: describe(error) });
    }
  });
  process.on('disconnect', () => process.exit(0));
  process.send({ id: 0 });
}

/** JSON has no words for these, and what it leaves out could hide a difference. */
function toJson(value) {
  return JSON.stringify(value ?? String(value), (_, item) => {
    if (item === undefined) {
      return '<undefined>';
    }
    return typeof item === 'function' ? `<function ${item.name}>` : item;
  });
}
