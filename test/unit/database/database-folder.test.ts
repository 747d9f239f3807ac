import { expect, test } from 'vitest';
import { withDatabaseUrl } from '../../../src/database/database-folder.ts';
import { builtInRules } from '../../../src/rules/built-in.ts';

test("a note that names a command of Medusa's says where the embedded database is to be found", () => {
  const notes = builtInRules.flatMap(({ note }) => note ?? []);
  expect(notes.map(withDatabaseUrl)).toEqual(
    notes.map((note) => `${note}; first set DATABASE_URL to what is in .medusa/postgres/url`),
  );
  expect(notes).toHaveLength(3);
  expect(withDatabaseUrl('the admin is restarted')).toBe('the admin is restarted');
});
